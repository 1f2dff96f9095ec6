"""Tuning on instructions, chats and tasks: what `llamax tune` adds to training.

reading       records of a file: an array of JSON, or JSON a line
forms         Alpaca, prompt and completion, chat: each record as a Sample
chat          messages through the tokenizer's chat template, and what in it the assistant says
rendering     a file of any form as a file of Samples in the cache of the run
questions     what XNLI, X-CSQA and MGSM have in common: a prompt, the answer, options
xnli, xcsqa, mgsm   their files and their templates
answering     a model's answers to questions
evaluating    accuracy by language
averaging     the mean of several models
weights       their weights, one tensor in memory at a time
asking        which of these the flags ask for
"""
