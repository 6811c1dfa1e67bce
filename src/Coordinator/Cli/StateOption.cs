using System.CommandLine;
using LoadHarness.Coordinator.Security;

namespace LoadHarness.Coordinator.Cli;

/// <summary>The option --state, which several verbs share.</summary>
internal static class StateOption
{
    public static Option<string> Create() => VerbOptions.Text(
        "--state", "DIR", "The coordinator's state folder; else $STATE_DIRECTORY, /var/lib/loadharness (root) or ~/.local/state/loadharness");

    /// <exception cref="CredentialException">There is no place for it.</exception>
    public static StateDirectory Of(ParseResult parsed, Option<string> option) =>
        StateDirectory.Resolve(parsed.GetResult(option) is { Tokens: [.., var last] } ? last.Value : null);
}
