"""Run a filter of llamax over the partitions of a corpus in Spark, and write what a single run would write, in parts.

spark-submit --master spark://node0:7077 examples/spark.py pairs.jsonl found llamax langid -q
cat found/part-* > found.jsonl

The first argument is a file, a folder or a pattern of JSON lines, packed with gzip or bzip2 or not packed. The second
is the folder for the parts, which must not be there yet; the rest is the filter. Every node needs llamax, and the files
that the filter names, at the same place: name them from the root, since a filter runs in a folder of its executor.
`--conf spark.default.parallelism=64` asks for at least 64 partitions.

Each partition is given to a filter of its own. If that fails, Spark tries the partition again, in a cluster up to
spark.task.maxFailures times (4). Nothing is there twice: what an attempt writes is moved into the folder when it has
ended well, once for each partition, and found/_SUCCESS appears when all are there.
"""

import os
import shlex
import sys

from pyspark.sql import SparkSession


def main(source: str, output: str, *command: str) -> None:
    """Pipe each partition of the source through the command."""
    # As for llamax, a line ends at \n. Spark by itself also ends one at \r.
    session = SparkSession.builder.config("spark.hadoop.textinputformat.record.delimiter", "\n").getOrCreate()
    context = session.sparkContext
    lines = context.textFile(source, minPartitions=context.defaultParallelism)
    # Without checkCode, a filter that dies passes for one that has come to its end; without env, it has no PATH.
    lines.pipe(shlex.join(command), env=dict(os.environ), checkCode=True).saveAsTextFile(output)
    session.stop()


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
