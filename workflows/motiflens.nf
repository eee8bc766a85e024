// Long commands of motiflens as tasks: every shard is one, and one more joins them.
//
//   include { SHARD; MERGE } from './motiflens.nf'
//
//   workflow {
//       shards = Channel.of(1..params.shards)
//       done = SHARD(shards, "scan ${params.run} ${params.genome} --stride 1", params.output)
//       MERGE(done.collect(), params.output)
//   }
//
// All paths have to be absolute and on a disk that all tasks see: the tiles lie beside the output,
// not in the folders of the tasks. A task that fails is tried again and resumes at its last tile.

params.shards = 40

process SHARD {
    tag "${number}/${params.shards}"
    cpus 1
    errorStrategy 'retry'
    maxRetries 3

    input:
    val number
    val command
    val output

    output:
    val number

    script:
    """
    motiflens ${command} -o '${output}' --shard ${number}/${params.shards} --threads ${task.cpus} --overwrite
    """
}

process MERGE {
    cpus 1

    input:
    val shards
    val output

    output:
    val output

    script:
    """
    motiflens merge '${output}'
    """
}
