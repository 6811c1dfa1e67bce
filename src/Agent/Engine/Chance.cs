namespace LoadHarness.Agent.Engine;

/// <summary>xorshift64*: chance that allocates nothing, and is the same again for the same seed.</summary>
/// <param name="seed">Any but 0.</param>
internal struct Chance(ulong seed)
{
    private ulong _state = seed;

    /// <summary>From 0 to 1, exclusive; each value as likely.</summary>
    public double Next()
    {
        _state ^= _state >> 12;
        _state ^= _state << 25;
        _state ^= _state >> 27;
        return ((_state * 0x2545F4914F6CDD1DUL) >> 11) * (1.0 / (1UL << 53));
    }
}
