using System.Collections.Immutable;
using System.Globalization;
using LoadHarness.Protos;
using LifetimeSpread = LoadHarness.V1.LifetimeSpread;

namespace LoadHarness.Coordinator.Specs;

/// <summary>Turns what a user asked for into a spec with every default filled in, or into all of its errors at once.</summary>
public static class RunSpecValidator
{
    /// <summary>Largest goal of a run.</summary>
    public const long MostConnections = 100_000_000;

    /// <summary>Highest connect rate of a run, per second.</summary>
    public const double HighestRate = 10_000_000;

    /// <summary>Most agents that a run waits for.</summary>
    public const int MostAgents = 10_000;

    /// <summary>Most characters of a run's name.</summary>
    public const int LongestName = 200;

    /// <summary>The rate that no run without ramp and rate exceeds, per second.</summary>
    public const double GentleRate = 5_000;

    /// <summary>The rate that no agent of a run without ramp and rate exceeds, per second.</summary>
    public const double GentleRatePerAgent = 1_000;

    // Of a rate: what a whole number of connections may make it other than it was asked for.
    private const double MostRounding = 0.05;

    private static readonly TimeSpan _shortest = TimeSpan.FromMilliseconds(1);

    /// <summary>Validates.</summary>
    /// <param name="input">As it arrived.</param>
    /// <param name="resolve">
    /// Addresses of a host name that is not among the input's own names: empty when it has none, null when the agents are to be
    /// asked. Must not throw.
    /// </param>
    public static SpecResult Validate(RunSpecInput input, Func<string, IReadOnlyList<IpAddress>?> resolve)
    {
        var errors = new List<SpecError>();
        var fields = new FieldReader(errors);
        var sources = SpecEndpoints.Sources(input, errors);
        var targets = SpecEndpoints.Targets(input, sources, resolve, errors);
        SpecEndpoints.CheckFamilies(targets, sources, errors);

        var connections = input.Connections is { } goal
            ? fields.Count("--connections", goal, 1, MostConnections, "Write --connections 50k, or as many as you need")
            : 0;
        var ramp = fields.Duration("--ramp", input.Ramp, _shortest, DurationText.Longest);
        var rate = fields.Rate("--connect-rate", input.ConnectRate, HighestRate);
        if (input.Ramp is not null && input.ConnectRate is not null)
        {
            errors.Add(new SpecError("--ramp", "", "cannot stand together with --connect-rate", "",
                "Give either how long the ramp takes or how many connections a second; one follows from the other"));
        }

        var spec = new RunSpec
        {
            Name = input.Name.Trim(),
            Targets = targets,
            Connections = connections,
            Ramp = ramp,
            ConnectRate = rate,
            Sources = sources,
            SourcePorts = fields.Ports("--source-ports", input.SourcePorts),
            ExpectGreeting = input.ExpectGreeting,
            Force = input.Force,
            Provision = SpecEndpoints.Provision(input, errors),
        };
        spec = spec with
        {
            Hold = fields.Duration("--hold", input.Hold, _shortest, DurationText.Longest) ?? spec.Hold,
            Agents = input.Agents is { } agents ? (int)fields.Count("--agents", agents, 1, MostAgents, "Write --agents 4") : null,
            ReadyTimeout = fields.Duration("--ready-timeout", input.ReadyTimeout, _shortest, TimeSpan.FromHours(24)) ?? spec.ReadyTimeout,
            ConnectTimeout =
                fields.Duration("--connect-timeout", input.ConnectTimeout, _shortest, TimeSpan.FromMinutes(10)) ?? spec.ConnectTimeout,
            MaxDuration = fields.Duration("--max-duration", input.MaxDuration, _shortest, DurationText.Longest) ?? spec.MaxDuration,
        };
        spec = SpecWorkload.Read(spec, input, fields, errors);
        spec = GoalOfRate(spec, input, fields, errors);
        spec = SpecTransport.Read(spec, input, fields, errors);
        spec = SpecBackends.Read(spec, input, fields, errors);
        spec = SpecPolicies.Read(spec, input, fields);
        CheckName(spec, errors);
        CheckLength(spec, isByRate: input.Connections is null, errors);
        SpecEndpoints.CheckSelf(spec, errors);
        return errors.Count == 0 ? new SpecResult(spec, []) : new SpecResult(null, [.. errors]);
    }

    /// <summary>
    /// Churn may have its rate for its goal: as many connections as are there when so many are opened each second (Little's law). Where all live as long, a ramp
    /// of one lifetime opens them at just that rate. Drawn lives end while the others are opened, and a ramp ten times as long keeps what replaces them and what
    /// is new within a tenth of the rate.
    /// </summary>
    private static RunSpec GoalOfRate(RunSpec spec, RunSpecInput input, FieldReader fields, List<SpecError> errors)
    {
        if (input.Connections is not null)
            return spec;
        if (input.ConnectRate is not { } given || input.Lifetime is null || spec.Workload is not [{ Workload: WorkloadSpec.Churn churn }])
        {
            fields.Missing("--connections", "Say how many connections to hold: --connections 50k (churn with a --lifetime may have a --connect-rate for its goal instead)");
            return spec;
        }

        // What is wrong with either has been said.
        if (spec.ConnectRate is not { } rate || rate <= 0 || churn.Life is not { } life)
            return spec;
        var exactly = rate * life.Mean.TotalSeconds;
        var alive = Math.Round(exactly);
        if (alive >= 1 && alive <= MostConnections && Math.Abs((alive / life.Mean.TotalSeconds) - rate) <= rate * MostRounding)
            return spec with { Connections = (long)alive, Ramp = life.Spread == LifetimeSpread.Fixed ? life.Mean : life.Mean * 10, ConnectRate = null };
        errors.Add(new SpecError("--connect-rate", given.Text ?? RateText.Format(rate),
            $"makes {exactly.ToString("#,0.###", CultureInfo.InvariantCulture)} connections at a time with a --lifetime of {LifetimeText.Format(life)}"
            + (alive > MostConnections ? ": too many" : ", and no whole number of them keeps that rate"),
            $"rate times lifetime of 10 to {CountText.Format(MostConnections)}, or a smaller whole number", "Give another --lifetime, or say how many connections with --connections"));
        return spec;
    }

    /// <summary>
    /// The shortest time in which the goal can be opened: agents are not known yet, so the gentle default counts in full.
    /// </summary>
    private static TimeSpan ShortestOpening(RunSpec spec) =>
        spec.Ramp ?? TimeSpan.FromSeconds(spec.Connections / (spec.ConnectRate ?? GentleRate));

    private static void CheckLength(RunSpec spec, bool isByRate, List<SpecError> errors)
    {
        if (spec.Connections < 1 || spec.ConnectRate <= 0)
            return;
        var seconds = ShortestOpening(spec).TotalSeconds + spec.Hold.TotalSeconds;
        if (seconds <= spec.MaxDuration.TotalSeconds)
            return;
        var opening = DurationText.Format(Rounded(ShortestOpening(spec)));
        errors.Add(new SpecError("--hold", DurationText.Format(spec.Hold),
            $"with {opening} to open {CountText.Format(spec.Connections)} connections is longer than the run may last",
            $"{DurationText.Format(spec.MaxDuration)} in all (--max-duration)",
            isByRate ? "Hold for less time, give a shorter --lifetime or a longer --max-duration, or say how many connections with --connections"
                : "Hold for less time, open faster, or give a longer --max-duration"));
    }

    private static TimeSpan Rounded(TimeSpan time) => TimeSpan.FromSeconds(Math.Ceiling(time.TotalSeconds));

    private static void CheckName(RunSpec spec, List<SpecError> errors)
    {
        if (spec.Name.Length > LongestName || spec.Name.Any(char.IsControl))
        {
            errors.Add(new SpecError("--name", spec.Name, "is no name of a run",
                $"at most {LongestName} characters, none of them a control character",
                "Give a shorter name"));
        }
    }
}
