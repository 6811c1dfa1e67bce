namespace LoadHarness.Coordinator.Fleet;

/// <summary>
/// Decides which samples are new. Within one process life of an agent sequences rise, and after a reconnect the
/// unacknowledged ones come again from the lowest: so whatever is not above the highest one kept was kept before.
/// </summary>
internal sealed class SampleIntake
{
    private readonly Lock _lock = new();
    private string _incarnation = "";
    private ulong _kept;

    /// <summary>Keeps a sample unless it was kept before.</summary>
    /// <param name="incarnation">The process life that measured it.</param>
    /// <param name="sequence">Its number.</param>
    /// <param name="keep">Called at most once for each sample; if it throws, the sample counts as not kept.</param>
    /// <returns>The sequence to acknowledge.</returns>
    public ulong Take(string incarnation, ulong sequence, Action keep)
    {
        lock (_lock)
        {
            if (_incarnation != incarnation)
                (_incarnation, _kept) = (incarnation, 0);
            if (sequence > _kept)
            {
                keep();
                _kept = sequence;
            }

            return _kept;
        }
    }
}
