// Tests with real reactors wait for whole seconds of a run most of the time; those that need the machine for themselves say so.
[assembly: LevelOfParallelism(8)]
