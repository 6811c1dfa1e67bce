namespace LoadHarness.Agent.Transports;

/// <summary>How a transport answers; the loop never asks what kind of transport it is.</summary>
public enum TransportAnswer
{
    /// <summary>It is done.</summary>
    Done,

    /// <summary>Nothing more now; another event will come.</summary>
    Again,

    /// <summary>It failed; the errno says how. 0 is the peer's FIN.</summary>
    Failed,
}
