using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Assignments;

/// <summary>The reactors of one run, of either side. Used by one plain thread, whose descriptor table they copy.</summary>
internal interface IRunReactors : IDisposable
{
    /// <summary>The first fault of a reactor, if there was one: its connections are closed.</summary>
    Exception? Fault { get; }

    /// <summary>How often <see cref="Snapshot"/> wants to be called, whether a sample is due or not; null: for samples only.</summary>
    TimeSpan? LookEvery { get; }

    /// <summary>Retiring blocks without a live or resting tuple at the last snapshot.</summary>
    ImmutableArray<BlockRange> EmptyBlocks => [];

    /// <summary>Sources that this host has no more.</summary>
    ImmutableArray<IpAddress> GoneSources => [];

    /// <summary>Starts what an assignment needs beyond what is there; nothing connects yet.</summary>
    /// <returns>Null, or why the assignment cannot be met; then nothing has changed.</returns>
    AssignmentRefusal? Prepare(Assignment assignment);

    /// <summary>Follows the assignment's schedule.</summary>
    /// <param name="assignment">With its schedule.</param>
    /// <param name="startNanos">CLOCK_BOOTTIME of the start instant.</param>
    void Pursue(Assignment assignment, long startNanos);

    /// <summary>Closes a part of what is held and opens as many again, at the storm's instant.</summary>
    /// <param name="storm">Each is given once.</param>
    /// <param name="startNanos">CLOCK_BOOTTIME of the start instant.</param>
    void Reconnect(StormOrder storm, long startNanos)
    {
    }

    /// <summary>Closes everything within a time; zero closes by RST at once.</summary>
    void Drain(TimeSpan timeout);

    /// <summary>Asks every reactor for its snapshot and hands them over, once all are filled.</summary>
    void Snapshot(SampleBuilder builder);
}
