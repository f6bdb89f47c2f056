"""Reports on a Dask cluster (the extra `costkit[cluster]`): the same reading and the same merge on many machines.

Three steps, and this process holds no more than tallies in any of them:

1. `reading` has every worker read its own bytes (`tasks.read_load`): ranges of plain files, whole compressed ones.
   Responses stay where they were read, shared out by a hash of their identity.
2. `settling` brings the shares of each hash together on some worker, which merges the copies and closes them.
3. The tallies, kilobytes from each, are added up here.

`places` finds files and objects, `objects` reads one, `engine` starts or finds the cluster. Nothing here is imported
unless a report asks for a cluster.
"""

from costkit.adapters.cluster.summaries import summarize_on_cluster

__all__ = ["summarize_on_cluster"]
