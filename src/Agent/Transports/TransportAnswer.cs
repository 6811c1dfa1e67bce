namespace LoadHarness.Agent.Transports;

/// <summary>How a transport answers; the loop never asks what kind of transport it is.</summary>
public enum TransportAnswer
{
    /// <summary>It is done; of reading: there may be more.</summary>
    Done,

    /// <summary>Nothing more now; another event will come.</summary>
    Again,

    /// <summary>It failed; the fault says how.</summary>
    Failed,
}
