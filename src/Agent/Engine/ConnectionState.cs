namespace LoadHarness.Agent.Engine;

/// <summary>What a slot of the connection table holds.</summary>
public enum ConnectionState : byte
{
    /// <summary>Nothing.</summary>
    Free,

    /// <summary>connect() was called, the handshake is under way (SYN-SENT).</summary>
    Connecting,

    /// <summary>ESTABLISHED, and the transport's own handshake is under way.</summary>
    Handshaking,

    /// <summary>ESTABLISHED, and open for its workload.</summary>
    Established,

    /// <summary>Our FIN is sent, the peer's has not been seen (FIN-WAIT-1, FIN-WAIT-2).</summary>
    Closing,

    /// <summary>Not a connection: a listening socket.</summary>
    Listener,
}

/// <summary>Facts about one connection.</summary>
[Flags]
public enum ConnectionMarks : byte
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>The target has sent its first byte.</summary>
    Greeted = 1,

    /// <summary>It takes the place of one that the peer closed.</summary>
    Reopened = 2,

    /// <summary>The peer's FIN has come; there may be data ahead of it that are still to be read.</summary>
    PeerEnded = 4,

    /// <summary>A reconnect storm is to close it.</summary>
    StormChosen = 8,

    /// <summary>It takes the place of one that a reconnect storm closed.</summary>
    StormOpened = 16,

    /// <summary>Its workload closes it as soon as what is under way is over.</summary>
    Leaving = 32,
}
