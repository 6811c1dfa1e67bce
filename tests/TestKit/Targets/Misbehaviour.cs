namespace LoadHarness.TestKit.Targets;

/// <summary>What a target does to those who connect.</summary>
public enum Misbehaviour
{
    /// <summary>None: accepts, keeps, and counts the bytes that arrive.</summary>
    None,

    /// <summary>Nobody listens: the kernel answers with RST.</summary>
    Refuse,

    /// <summary>Accepts and resets at once.</summary>
    Reset,

    /// <summary>Accepts and closes after a while.</summary>
    Close,

    /// <summary>Accepts, sends a thousand bytes and closes at once.</summary>
    Greet,

    /// <summary>Accepts and sends data until it is closed.</summary>
    Send,

    /// <summary>Accepts, sends its FIN after a while and reads on until the other side's comes.</summary>
    HalfClose,

    /// <summary>Accepts, sends as fast as the other side takes it and reads nothing, not even a FIN.</summary>
    Flood,

    /// <summary>Never accepts, with the smallest of backlogs: after a few connections the kernel drops what comes.</summary>
    Ignore,
}
