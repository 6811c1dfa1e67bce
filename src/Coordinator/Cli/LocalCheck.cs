using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.LocalFleet;

namespace LoadHarness.Coordinator.Cli;

/// <summary>Checks this machine: the agent program of this installation does it, as it does on a fleet's hosts.</summary>
internal static class LocalCheck
{
    /// <summary>Runs `loadharness-agent check --json`.</summary>
    /// <exception cref="LocalFleetException">The program is not there, or said no checks.</exception>
    public static async Task<AgentChecksView> RunAsync(HostNeed? need, CancellationToken cancel)
    {
        var program = AgentProgram.Locate();
        var start = new ProcessStartInfo(program.FileName, [.. program.LeadingArguments, "check", "--json", .. Arguments(need)])
        {
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
        };
        if (program.DotnetRoot is { } root)
            start.Environment.TryAdd("DOTNET_ROOT", root);
        using var process = Process.Start(start) ?? throw new LocalFleetException($"{program.FileName} cannot be started");
        process.StandardInput.Close();
        var text = await process.StandardOutput.ReadToEndAsync(cancel);
        await process.WaitForExitAsync(cancel);
        try
        {
            return Parse(JsonNode.Parse(text)!.AsObject());
        }
        catch (Exception e) when (e is System.Text.Json.JsonException or InvalidOperationException or NullReferenceException)
        {
            throw new LocalFleetException($"{program.FileName} check ended with code {process.ExitCode} and no answer; install the same release of both programs");
        }
    }

    private static AgentChecksView Parse(JsonObject json) =>
        new("", (string)json["host"]!, [.. json["checks"]!.AsArray().Select(c => ParseCheck(c!.AsObject()))], "");

    private static HostCheckView ParseCheck(JsonObject check) => new(
        (string)check["name"]!,
        (string)check["verdict"]!,
        (string)check["value"]!,
        (string)check["needed"]!,
        (string)check["remedy"]!,
        (string)check["risk"]!,
        check["sysctls"]!.AsObject().ToImmutableSortedDictionary(s => s.Key, s => (string)s.Value!, StringComparer.Ordinal));

    private static IEnumerable<string> Arguments(HostNeed? need)
    {
        if (need is null)
            yield break;
        foreach (var (option, number) in new[] { ("--connections", (double)need.Connections), ("--connect-rate", need.ConnectsPerSecond), ("--close-rate", need.ClosesPerSecond) })
        {
            if (number <= 0)
                continue;
            yield return option;
            yield return Math.Ceiling(number).ToString("0", CultureInfo.InvariantCulture);
        }

        if (need.BothEnds)
            yield return "--both-ends";
    }
}
