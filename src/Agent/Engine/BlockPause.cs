namespace LoadHarness.Agent.Engine;

/// <summary>Why nothing new is opened in a block; what lives in it stays.</summary>
[Flags]
internal enum BlockPause : byte
{
    /// <summary>It is in use.</summary>
    None = 0,

    /// <summary>Its owner wants it back.</summary>
    Retiring = 1,

    /// <summary>This host has its source address no more.</summary>
    SourceGone = 2,

    /// <summary>It belongs to somebody else by now.</summary>
    GivenBack = 4,
}
