using System.CommandLine;
using System.CommandLine.Parsing;
using LoadHarness.Coordinator.Planning.Capacity;
using LoadHarness.Coordinator.Specs;

namespace LoadHarness.Coordinator.Cli;

/// <summary>The options that describe a fleet that does not exist. --sources-per-agent makes it one.</summary>
internal sealed class HypotheticalOptions
{
    private const int MostDescriptors = 1 << 30;

    private readonly Option<string> _sources = VerbOptions.Text(
        "--sources-per-agent", "N", "Plan for a fleet that is not there: --agents hosts with an agent and N source addresses each");
    private readonly Option<string> _descriptors = VerbOptions.Text("--nofile", "N", "RLIMIT_NOFILE on such a host (524288)");
    private readonly Option<string> _ports = VerbOptions.Text("--ephemeral-ports", "A-B", "ip_local_port_range on such a host (32768-60999)");
    private readonly Option<string> _cores = VerbOptions.Text("--cores", "N", "Processors of such a host (4)");
    private readonly Option<string> _memory = VerbOptions.Text("--memory", "SIZE", "Free memory of such a host, 16G; else it is not looked at");

    /// <summary>For the verb's own list.</summary>
    public IEnumerable<Symbol> Symbols => [_sources, _descriptors, _ports, _cores, _memory];

    /// <summary>Whether the fleet does not exist.</summary>
    public bool IsGiven(ParseResult parsed) => parsed.GetResult(_sources) is { Implicit: false };

    /// <summary>The fleet, or null with everything that is wrong.</summary>
    /// <param name="parsed">The command line; <see cref="IsGiven"/>.</param>
    /// <param name="input">The spec as it was typed.</param>
    /// <param name="errors">Takes what is wrong.</param>
    public HypotheticalFleet? Read(ParseResult parsed, RunSpecInput input, List<SpecError> errors)
    {
        var before = errors.Count;
        var fields = new FieldReader(errors);
        var agents = input.Agents is null ? fields.Missing("--agents", "Say how many agents the fleet would have: --agents 14") : 1;
        if (!input.Sources.IsEmpty || !input.ProvisionSources.IsEmpty)
        {
            errors.Add(new("--sources-per-agent", "", "cannot stand together with --sources or --provision-sources", "",
                "Give either how many sources each agent would have, or those that the hosts have"));
        }

        if (Verb.TextOf(parsed, _sources) is not { } sources || agents == 0)
            return null;
        var fleet = new HypotheticalFleet
        {
            Agents = (int)Math.Clamp(Number(input.Agents!.Value), 1, RunSpecValidator.MostAgents),
            SourcesPerAgent = (int)fields.Count("--sources-per-agent", sources, 1, HypotheticalFleet.MostSources, "Write --sources-per-agent 4"),
            Descriptors = Count(parsed, _descriptors, 1024, MostDescriptors, fields),
            EphemeralPorts = fields.Ports("--ephemeral-ports", Verb.TextOf(parsed, _ports)),
            Cores = Count(parsed, _cores, 1, 4096, fields),
            MemoryBytes = Memory(parsed, errors),
        };
        return errors.Count == before ? fleet : null;
    }

    /// <summary>Options that describe nothing while the fleet exists.</summary>
    public IEnumerable<SpecError> CheckReal(ParseResult parsed)
    {
        foreach (var option in new[] { _descriptors, _ports, _cores, _memory })
        {
            if (Verb.TextOf(parsed, option) is { } text)
            {
                yield return new(option.Name, text, "describes hosts that do not exist, and the agents say themselves what theirs have", "",
                    "Give --agents N --sources-per-agent N with it, or leave it out");
            }
        }
    }

    // What is wrong with it is the spec's to say.
    private static long Number(Quantity<long> agents) =>
        agents.Text is { } text ? CountText.Parse(text) is { Ok: true } parsed ? parsed.Value : 1 : agents.Value;

    private static int? Count(ParseResult parsed, Option<string> option, long least, long most, FieldReader fields) =>
        Verb.TextOf(parsed, option) is { } text ? (int)fields.Count(option.Name, text, least, most, $"Write {option.Name} {least:N0}") : null;

    private long? Memory(ParseResult parsed, List<SpecError> errors)
    {
        if (Verb.TextOf(parsed, _memory) is not { } text)
            return null;
        var size = SizeText.Parse(text);
        if (size.Problem is not { } problem)
            return size.Value;
        errors.Add(problem.At("--memory", text));
        return null;
    }
}
