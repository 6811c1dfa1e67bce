using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace LoadHarness.Coordinator.Cli;

/// <summary>What help says beyond the parser's own: an example for each verb, and the overview of a call without arguments.</summary>
internal static class HelpLayout
{
    /// <summary>Only what works.</summary>
    public const string Overview =
        """
        demo   see it at work on this machine     loadharness demo
        plan   what fits, and what limits first   loadharness plan 10.0.0.5:443 -c 2M
        check  what a host is good for            loadharness check -c 1M
        run    hold connections to your service   loadharness run 10.0.0.5:443 -c 50k
        """;

    /// <summary>Gives every command help that ends with its examples.</summary>
    public static void Apply(RootCommand root, IReadOnlyDictionary<Command, Verb> verbs)
    {
        var help = root.Options.OfType<HelpOption>().Single();
        help.Description = "Show what a verb does, its options and an example";
        help.Action = new HelpWithExamples((HelpAction)help.Action!, verbs);
    }

    private sealed class HelpWithExamples(HelpAction help, IReadOnlyDictionary<Command, Verb> verbs) : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parsed)
        {
            var output = parsed.InvocationConfiguration.Output;
            var code = help.Invoke(parsed);
            var command = parsed.CommandResult.Command;
            var examples = verbs.TryGetValue(command, out var verb)
                ? verb.Examples
                : verbs.Where(v => v.Key.Parents.Contains(command)).Select(v => v.Value.Examples[0]);
            output.WriteLine("Examples:");
            foreach (var example in examples)
                output.WriteLine($"  {example}");
            return code;
        }
    }
}
