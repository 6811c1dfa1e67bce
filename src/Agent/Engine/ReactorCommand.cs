using LoadHarness.Agent.Measurement;

namespace LoadHarness.Agent.Engine;

/// <summary>What a plain thread asks of a reactor; made by the plain thread, read by the reactor.</summary>
public abstract record ReactorCommand
{
    /// <summary>Fill the snapshot, start the next interval, signal the bell.</summary>
    public sealed record TakeSnapshot(ReactorSnapshot Snapshot) : ReactorCommand;

    /// <summary>Close every socket at once and end the thread.</summary>
    public sealed record Stop : ReactorCommand;
}
