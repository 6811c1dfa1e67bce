namespace LoadHarness.Coordinator.Specs;

/// <summary>
/// How much one spec may name. Planning holds every range of the targets against every range of the sources, some times over: what a message
/// has room for would keep the coordinator busy for minutes.
/// </summary>
internal static class SpecBounds
{
    /// <summary>Most ranges of targets (addresses times ranges of ports), of sources, and of entries of either.</summary>
    public const int MostRanges = 4096;

    /// <summary>Most prefixes to add to hosts.</summary>
    public const int MostProvisions = 256;

    /// <summary>Adds an error where a field names more than it may.</summary>
    /// <param name="field">As the user knows it.</param>
    /// <param name="named">How many it names.</param>
    /// <param name="what">What it names.</param>
    /// <param name="most">How many it may.</param>
    /// <param name="remedy">What to do.</param>
    /// <param name="errors">Takes the error.</param>
    /// <returns>Whether it keeps the bound.</returns>
    public static bool Keeps(string field, long named, string what, int most, string remedy, List<SpecError> errors)
    {
        if (named <= most)
            return true;
        errors.Add(new SpecError(field, "", $"names {named:N0} {what}", $"at most {most:N0}", remedy));
        return false;
    }
}
