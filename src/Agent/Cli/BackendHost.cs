using System.Text;
using System.Text.Json;
using LoadHarness.Agent.Backend;

namespace LoadHarness.Agent.Cli;

/// <summary>Runs a backend and prints what it counts.</summary>
internal static class BackendHost
{
    private static readonly TimeSpan _interval = TimeSpan.FromSeconds(1);

    /// <summary>Runs until a signal.</summary>
    /// <returns>The exit code.</returns>
    public static int Run(BackendOptions options, bool json, bool parentDecides)
    {
        using var signals = new ShutdownSignals(parentDecides);
        RuntimeWarmUp.Touch();
        using var server = new BackendServer(options);
        try
        {
            server.Start();
        }
        catch (InvalidOperationException e)
        {
            return AgentCommandLine.Fail([e.Message]);
        }

        Console.Error.WriteLine($"listening on {options.Listen.Length} endpoints with {options.Reactors} reactors");
        var last = Watch(server, signals);
        Console.Error.WriteLine($"ended by {signals.Requested.Result}: {Show(last)}");
        if (json)
            Console.Out.WriteLine(Json(last));
        return ExitCode.Passed;
    }

    private static BackendCounts Watch(BackendServer server, ShutdownSignals signals)
    {
        BackendCounts shown = default;
        while (!signals.Requested.Wait(_interval))
        {
            if (server.Counts is var counts && counts == shown)
                continue;
            shown = counts;
            Console.Error.WriteLine(Show(counts));
        }

        server.StopCounting();
        return server.Counts;
    }

    private static string Show(BackendCounts counts) => FormattableString.Invariant(
        $"established {counts.Established}, accepted {counts.Accepted}, closed {counts.Closed}, requests {counts.Requests}")
        + (counts.Refused > 0 ? FormattableString.Invariant($", without a descriptor {counts.Refused}") : "");

    private static string Json(BackendCounts counts)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("established", counts.Established);
            json.WriteNumber("accepted", counts.Accepted);
            json.WriteNumber("closed", counts.Closed);
            json.WriteNumber("requests", counts.Requests);
            json.WriteNumber("refused", counts.Refused);
            json.WriteNumber("reactors", counts.Reactors);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}
