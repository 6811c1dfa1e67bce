using System.Collections.Immutable;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Runs;

/// <summary>Asks agents what only their hosts know, before a run is planned: what names mean there, and where connections would start.</summary>
/// <param name="spec">What is to be known.</param>
/// <param name="clock">For patience.</param>
internal sealed class RouteSurvey(RunSpec spec, CoordinatorClock clock)
{
    /// <summary>How long an agent may take; then it is asked again.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(500);

    private readonly ImmutableArray<RouteQuestion> _questions = Questions(spec);

    /// <summary>Whether there is anything to ask an agent: it must understand the question, too.</summary>
    public bool Concerns(AgentState agent) => !_questions.IsEmpty && agent.Hello.Capabilities.Contains(Capabilities.Routes);

    /// <summary>Asks, and asks again whoever does not answer or whose link breaks.</summary>
    /// <param name="agents">Those that it concerns.</param>
    /// <param name="cancel">Ends the asking.</param>
    /// <returns>The answers by identity; without those that gave none.</returns>
    public async Task<ImmutableDictionary<string, RouteReply>> AskAsync(ImmutableArray<AgentState> agents, CancellationToken cancel)
    {
        var replies = await Task.WhenAll(agents.Select(a => AskAsync(a, cancel)));
        return agents.Zip(replies).Where(p => p.Second is not null)
            .ToImmutableDictionary(p => p.First.Id, p => p.Second!, StringComparer.Ordinal);
    }

    private static ImmutableArray<RouteQuestion> Questions(RunSpec spec)
    {
        var names = spec.Targets.Where(t => t.IsAskedOfAgents).Select(t => t.Host).Distinct(StringComparer.OrdinalIgnoreCase)
            .Chunk(RouteQuestion.Most).ToArray();
        // Where the user names the sources no route is of interest.
        var addresses = spec.Sources.Any(s => !s.IsAuto)
            ? []
            : spec.Targets.SelectMany(t => t.Addresses).Distinct().Chunk(RouteQuestion.Most).ToArray();
        return
        [
            .. Enumerable.Range(0, Math.Max(names.Length, addresses.Length)).Select(i => new RouteQuestion(
                [.. names.ElementAtOrDefault(i) ?? []], [.. addresses.ElementAtOrDefault(i) ?? []])),
        ];
    }

    private async Task<RouteReply?> AskAsync(AgentState agent, CancellationToken cancel)
    {
        var whole = RouteReply.Empty;
        foreach (var question in _questions)
        {
            if (await AskUntilAnsweredAsync(agent, question, cancel) is not { } part)
                return null;
            whole = whole.With(part);
        }

        return whole;
    }

    private async Task<RouteReply?> AskUntilAnsweredAsync(AgentState agent, RouteQuestion question, CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested && agent.Departure is null)
        {
            try
            {
                if (agent.Session is { } session)
                    return await session.AskAsync(question, Patience, cancel);
            }
            catch (Exception e) when (e is TimeoutException or OperationCanceledException)
            {
                // Slow, or its link broke: it is asked again until the run's own patience ends.
            }

            await Task.Delay(_pause, clock.Time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return null;
    }
}
