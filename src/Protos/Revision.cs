namespace LoadHarness.Protos;

/// <summary>Orders desired states: by epoch (one per start of a coordinator), then by number (one per change of the run).</summary>
public readonly record struct Revision(ulong Epoch, ulong Number) : IComparable<Revision>
{
    /// <inheritdoc/>
    public int CompareTo(Revision other) => Epoch == other.Epoch ? Number.CompareTo(other.Number) : Epoch.CompareTo(other.Epoch);

    /// <summary>Whether this is the newer one.</summary>
    public bool IsNewerThan(Revision other) => CompareTo(other) > 0;

    /// <inheritdoc/>
    public override string ToString() => $"{Epoch}.{Number}";
}
