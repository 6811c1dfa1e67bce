using System.Text.Json;
using System.Text.Json.Nodes;
using LoadHarness.Coordinator.Reports;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Cli;

/// <summary>What is written when a run has ended.</summary>
internal static class RunReport
{
    /// <summary>Writes the summary to standard output, or says why there is none.</summary>
    /// <param name="run">Its last state.</param>
    /// <param name="json">The summary as JSON and nothing else.</param>
    /// <param name="context">Streams.</param>
    /// <returns>What the run deserves.</returns>
    public static ExitCode Write(RunView run, bool json, CliContext context)
    {
        if (run.SummaryJson is not { } summary)
        {
            context.Error.WriteLine($"run {run.Id} {LiveView.Wording.State(run.State)} without a summary"
                + (run.StateReason.Length > 0 ? $": {run.StateReason}" : ""));
            return ExitCodeOf(run);
        }

        if (json)
            context.Out.WriteLine(RunJson.Pretty(JsonNode.Parse(summary)!));
        else
            SummaryText.Write(context.Out, SummaryJson.Read(summary));
        return ExitCodeOf(run);
    }

    /// <summary>The code that the summary names; without one a run that has not completed is a defect.</summary>
    public static ExitCode ExitCodeOf(RunView run)
    {
        if (run.SummaryJson is not { } summary)
            return ExitCode.Internal;
        using var document = JsonDocument.Parse(summary);
        return document.RootElement.TryGetProperty("exitCode", out var code) && code.TryGetInt32(out var number)
            ? ExitCodes.Of(number)
            : ExitCode.Internal;
    }
}
