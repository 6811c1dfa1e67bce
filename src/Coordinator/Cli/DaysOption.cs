using System.CommandLine;
using LoadHarness.Coordinator.Specs;

namespace LoadHarness.Coordinator.Cli;

/// <summary>The option --days of the verbs that make certificates.</summary>
internal static class DaysOption
{
    private const int Most = 36_500;

    public static Option<string> Create(TimeSpan otherwise) =>
        VerbOptions.Text("--days", "N", $"How long the certificate is valid ({otherwise.TotalDays:0})");

    public static IReadOnlyList<SpecError> Check(Quantity<long>? days)
    {
        var errors = new List<SpecError>();
        if (days is { } given)
            new FieldReader(errors).Count("--days", given, 1, Most, "Write --days 365");
        return errors;
    }

    /// <summary>What was given, which must have been checked, or the default.</summary>
    public static TimeSpan Of(Quantity<long>? days, TimeSpan otherwise) =>
        days is { } given ? TimeSpan.FromDays(new FieldReader([]).Count("--days", given, 1, Most, "")) : otherwise;
}
