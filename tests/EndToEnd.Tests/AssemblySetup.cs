// Light tests wait more than they work; heavy ones say that they want the machine for themselves.
[assembly: LevelOfParallelism(3)]
[assembly: FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
