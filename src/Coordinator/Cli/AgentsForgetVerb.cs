using System.CommandLine;
using System.Text.Json.Nodes;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Cli;

/// <summary>Unbinds an agent's identity from a key that is lost.</summary>
internal sealed class AgentsForgetVerb() : Verb(
    "forget",
    "Forgets an agent and the key that its identity is bound to; the next one needs a join token",
    "loadharness agents forget load-7")
{
    private readonly Argument<string?> _id = new("ID") { Description = "The agent's identity", Arity = ArgumentArity.ZeroOrOne };
    private readonly Option<bool> _json = VerbOptions.Json();
    private readonly CoordinatorOptions _coordinator = new();

    /// <inheritdoc/>
    public override IEnumerable<Symbol> Symbols => [_id, _json, .. _coordinator.Symbols];

    /// <inheritdoc/>
    public override IEnumerable<SpecError> Check(ParseResult parsed)
    {
        if (string.IsNullOrEmpty(parsed.GetValue(_id)))
            yield return new("ID", "", "is missing", "", "Give the agent's identity; 'loadharness agents list' shows them");
        foreach (var error in _coordinator.Check(parsed))
            yield return error;
    }

    /// <inheritdoc/>
    public override async Task<ExitCode> ExecuteAsync(ParseResult parsed, CliContext context)
    {
        var id = parsed.GetValue(_id)!;
        CliException? unknown = null;
        foreach (var client in Coordinators.Connect(context, _coordinator.Of(parsed, context)))
        {
            using (client)
            {
                try
                {
                    await client.ForgetAgentAsync(id, context.Interrupts.First);
                    context.Error.WriteLine($"agent {id} is forgotten; the next one of this identity needs a join token");
                    if (parsed.GetValue(_json))
                        context.Out.WriteLine(RunJson.Pretty(new JsonObject { ["forgotten"] = id }));
                    return ExitCode.Passed;
                }
                catch (CliException e) when (e.ExitCode == ExitCode.Invalid)
                {
                    // Another coordinator of this user may know it.
                    unknown = e;
                }
            }
        }

        throw unknown ?? new CliException(ExitCode.Unreachable, "no coordinator of this user answers here");
    }
}
