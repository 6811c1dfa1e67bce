using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Specs;

/// <summary>The fields of a spec that choose agents by label and that speak of backends.</summary>
internal static class SpecBackends
{
    private const string Backends = "--backends";
    private const string Listen = "--backend-listen";
    private const string BackendSelect = "--backend-select";

    /// <summary>Fills in the labels and the backends.</summary>
    public static RunSpec Read(RunSpec spec, RunSpecInput input, FieldReader fields, List<SpecError> errors)
    {
        spec = spec with
        {
            Select = Labels("--select", input.Select, errors),
            Backends = input.Backends is { } backends
                ? (int)fields.Count(Backends, backends, 0, RunSpecValidator.MostAgents, "Write --backends 1") : 0,
            BackendListen = Ports(input.BackendListen, errors),
            BackendSelect = Labels(BackendSelect, input.BackendSelect, errors),
        };
        CheckTogether(spec, input, errors);
        CheckGreeting(spec, errors);
        return spec;
    }

    private static void CheckTogether(RunSpec spec, RunSpecInput input, List<SpecError> errors)
    {
        var wanted = input.Backends is not null && (spec.Backends > 0 || errors.Exists(e => e.Field == Backends));
        if (wanted && input.BackendListen is null)
        {
            errors.Add(new SpecError(Listen, "", "is missing: --backends needs to know where they listen", "",
                "Name the ports: --backend-listen 9000-9009"));
        }

        if (!wanted && input.BackendListen is not null)
        {
            errors.Add(new SpecError(Backends, "", "is missing: --backend-listen is for backends of this run", "",
                "Say how many: --backends 1; or leave --backend-listen out"));
        }

        if (!wanted && !input.BackendSelect.IsEmpty)
        {
            errors.Add(new SpecError(BackendSelect, string.Join(", ", input.BackendSelect), "chooses among backends, and there are to be none", "",
                "Say how many: --backends 1; or leave --backend-select out"));
        }
    }

    // A connection that sends requests is confirmed by its first answer; one beside it that is held would wait for a greeting.
    private static void CheckGreeting(RunSpec spec, List<SpecError> errors)
    {
        var asks = spec.Workload.Count(w => w.Workload is WorkloadSpec.Http or WorkloadSpec.Echo);
        if (spec is { ExpectGreeting: true, Backends: > 0 } && asks > 0 && asks < spec.Workload.Length)
        {
            errors.Add(new SpecError("--expect-greeting", "", "cannot be had of backends that answer requests: to these it would be the beginning of an answer", "",
                "Leave it out, or let all connections send requests"));
        }
    }

    private static ImmutableArray<PortSpan> Ports(string? text, List<SpecError> errors)
    {
        if (text is null)
            return [];
        var parsed = PortText.ParseList(text);
        if (parsed.Problem is not { } problem)
            return parsed.Value;
        errors.Add(new SpecError(Listen, text, problem.Problem, "ports 1 to 65535, as in 9000 or 9000-9009", "Write --backend-listen 9000-9009"));
        return [];
    }

    private static ImmutableSortedDictionary<string, string> Labels(string field, ImmutableArray<string> texts, List<SpecError> errors)
    {
        var labels = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var text in texts)
        {
            var parsed = LabelText.Parse(text);
            if (parsed.Problem is { } problem)
                errors.Add(problem.At(field, text));
            else if (labels.TryGetValue(parsed.Value.Key, out var other) && other != parsed.Value.Value)
                errors.Add(new SpecError(field, text, $"stands beside {parsed.Value.Key}={other}: no agent carries both", "", "Leave one out"));
            else
                labels[parsed.Value.Key] = parsed.Value.Value;
        }

        return labels.ToImmutable();
    }
}
