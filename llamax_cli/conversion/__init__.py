"""What is done to corpora: conversion from and to the formats people have."""
