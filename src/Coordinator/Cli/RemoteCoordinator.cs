using LoadHarness.Coordinator.Security;

namespace LoadHarness.Coordinator.Cli;

/// <summary>A coordinator that was named, and what is needed to talk to it.</summary>
/// <param name="Url">Where it is.</param>
/// <param name="Trust">Which certificates it may show.</param>
/// <param name="Token">The secret. Never written anywhere.</param>
/// <param name="Options">The options that name it again, for commands that a user is shown: <c>--coordinator URL --ca FILE</c>.</param>
internal sealed record RemoteCoordinator(CoordinatorUrl Url, ServerTrust Trust, string Token, string Options)
{
    /// <summary>A client; nothing is dialled before its first call.</summary>
    public ControlClient Connect() => ControlClient.For(this);

    /// <summary>How to go on with a run: a command line.</summary>
    /// <param name="verb"><c>watch</c>, <c>stop</c>.</param>
    /// <param name="runId">The run.</param>
    public string Command(string verb, string runId) => $"{CommandLine.Program} runs {verb} {runId} {Options}";

    /// <summary>Says nothing about the token.</summary>
    public override string ToString() => Url.ToString();
}
