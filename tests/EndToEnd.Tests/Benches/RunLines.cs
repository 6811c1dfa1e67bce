using System.Globalization;
using LoadHarness.TestKit.Processes;

namespace LoadHarness.EndToEnd.Tests.Benches;

/// <summary>The lines of progress that <c>run</c> and <c>demo</c> write when nobody looks at a terminal.</summary>
public static class RunLines
{
    /// <summary>Waits until a run holds.</summary>
    /// <param name="run">The program.</param>
    /// <param name="connections">That many, at least.</param>
    public static Task HoldingAsync(this ProgramProcess run, int connections) =>
        run.WaitForLineAsync($@"holding; {WithCommas(connections)} of", Bench.Patience);

    /// <summary>Waits until a run ramps and something is established; on a machine that stood still it may hold by then.</summary>
    public static Task RampingAsync(this ProgramProcess run) => run.WaitForLineAsync(@"(ramping|holding); [1-9][\d,]* of", Bench.Patience);

    /// <summary>The summary of a run that was started with <c>--json</c> and has ended.</summary>
    public static Json Summary(this ProgramResult run)
    {
        Assert.That(run.Output, Does.StartWith("{"), run.Log);
        return Json.Parse(run.Output);
    }

    private static string WithCommas(int count) => count.ToString("N0", CultureInfo.InvariantCulture);
}
