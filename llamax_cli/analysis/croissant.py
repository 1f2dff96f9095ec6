"""Metadata of a dataset in Croissant 1.1 (MLCommons), which mlcroissant and search engines for datasets read.

https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html
"""

import time
from collections.abc import Collection, Sequence
from pathlib import PurePosixPath
from typing import Any

from llamax_cli.analysis.dataset import DataFile, Dataset

CONFORMS_TO = "http://mlcommons.org/croissant/1.1"
COMPRESSIONS = {
    ".gz": "application/gzip",
    ".zst": "application/zstd",
    ".bz2": "application/x-bzip2",
    ".xz": "application/x-xz",
}
DATA_TYPES = {"text": "sc:Text", "whole": "sc:Integer", "number": "sc:Float", "boolean": "sc:Boolean"}
CREATIVE_COMMONS = "https://creativecommons.org/licenses/"
# The words of the specification by their short names, in the order in which it lists them.
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


def croissant(dataset: Dataset) -> dict[str, Any]:
    """Return the metadata: the files with their hashes, and a record set with its fields for each file."""
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": dataset.name,
        "description": dataset.summary(),
        **({"license": license_url(dataset.license)} if dataset.license else {}),
        "inLanguage": dataset.tags(),
        "datePublished": time.strftime("%Y-%m-%d", time.gmtime()),
        "version": "1.0.0",
        "distribution": list(map(_file_object, dataset.files)),
        "recordSet": _record_sets(dataset.files),
    }


def license_url(name: str) -> str:
    """Return the address of a Creative Commons licence, and any other as it is named.

    `license_url("cc-by-sa-4.0") -> "https://creativecommons.org/licenses/by-sa/4.0/"`
    """
    kind, _, version = name.removeprefix("cc-").rpartition("-")
    if name == "cc0-1.0":
        return "https://creativecommons.org/publicdomain/zero/1.0/"
    return f"{CREATIVE_COMMONS}{kind}/{version}/" if name.startswith("cc-") and kind else name


def _file_object(file: DataFile) -> dict[str, Any]:
    compression = COMPRESSIONS.get(PurePosixPath(file.path).suffix)
    lines = "application/jsonlines"
    return {
        "@type": "cr:FileObject",
        "@id": file.path,
        "name": file.path,
        "contentUrl": file.path,
        "contentSize": f"{file.bytes} B",
        "encodingFormat": [lines, compression] if compression else lines,
        "sha256": file.sha256,
    }


def _record_sets(files: Sequence[DataFile]) -> list[dict[str, Any]]:
    """Return a record set for each file that has records: a record set is read from one file."""
    taken = {file.path for file in files}
    record_sets = []
    for file in files:
        if file.records:
            name = record_set_name(file.path)
            name = f"{file.path}/records" if name in taken else name
            taken.add(name)
            record_sets.append(_record_set(name, file))
    return record_sets


def _record_set(name: str, file: DataFile) -> dict[str, Any]:
    types = {key: data_type(kinds) for key, kinds in file.keys.items()}
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{name}/{key}",
                "name": key,
                "dataType": kind,
                "source": {"fileObject": {"@id": file.path}, "extract": {"column": key}},
            }
            for key, kind in types.items()
            if kind is not None
        ],
    }


def record_set_name(path: str) -> str:
    """Return the name of the record set of a file: `record_set_name("data/en-de.jsonl.gz") -> "data/en-de"`."""
    pure = PurePosixPath(path)
    if pure.suffix in COMPRESSIONS:
        pure = pure.with_suffix("")
    return str(pure.with_suffix("") if pure.suffix in (".jsonl", ".json") else pure)


def data_type(kinds: Collection[str]) -> str | None:
    """Return the type of a field by the kinds of its values; text where they differ, None if some are not scalars."""
    present = set(kinds) - {"null"}
    if present == {"whole", "number"}:
        present = {"number"}
    if not present <= DATA_TYPES.keys():
        return None
    return DATA_TYPES[present.pop()] if len(present) == 1 else "sc:Text"
