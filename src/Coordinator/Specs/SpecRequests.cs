using System.Collections.Immutable;
using System.Text;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Specs;

/// <summary>The fields of a spec that say which requests connections carry, and when.</summary>
internal sealed class SpecRequests
{
    /// <summary>Largest message of an echo, in bytes.</summary>
    public const int LargestMessage = 1 << 20;

    /// <summary>Largest body of a request, in bytes: assignments are 4 MB at most.</summary>
    public const int LargestBody = 1 << 20;

    /// <summary>Most header lines of a request.</summary>
    public const int MostFields = 100;

    private const int DefaultMessage = 64;
    private const double HighestRate = 1e9;
    private const long MostPerConnection = uint.MaxValue;
    private const string RequestsPerSecond = "--requests-per-second";
    private const string ThinkTime = "--think-time";
    private const string Beat = "--heartbeat";

    private static readonly TimeSpan _defaultTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan _shortest = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan _longestWait = TimeSpan.FromDays(1);
    private static readonly ImmutableArray<PortSpan> _expected = [new(200, 399)];

    // What says where a request ends, and for whom it is, is written by the agent.
    private static readonly string[] _ours = ["Host", "Content-Length", "Transfer-Encoding", "Connection"];

    private readonly RunSpecInput _input;
    private readonly List<SpecError> _errors;
    private readonly string _path;
    private readonly PaceSpec _pace;
    private readonly PaceSpec? _heldPace;
    private readonly Lazy<WorkloadSpec.Http> _http;

    private SpecRequests(RunSpecInput input, List<SpecError> errors, string path, PaceSpec pace, PaceSpec? heldPace)
    {
        (_input, _errors, _path, _pace, _heldPace) = (input, errors, path, pace, heldPace);
        _http = new(ReadHttp);
    }

    /// <summary>Reads when requests are sent, and says which fields need requests that are not there.</summary>
    public static SpecRequests Read(
        RunSpec spec, RunSpecInput input, ImmutableArray<(string Name, int Weight)> kinds, FieldReader fields, List<SpecError> errors)
    {
        bool Has(string kind) => kinds.Any(k => k.Name == kind);

        // What is held sends a request now and then when it has a heartbeat.
        var heldBeats = input.Heartbeat is not null && spec.Targets.Any(t => t.Scheme.IsHttp()) && Has(SpecWorkload.Hold);
        var (http, echo) = (heldBeats || Has(SpecWorkload.Http), Has(SpecWorkload.Echo));
        foreach (var (field, given) in GivenOf(input).Where(g => g.Given && !http && !echo))
            errors.Add(new SpecError(field, "", "is for requests, and these connections send none", "", "Write --target http://HOST:PORT/ or --workload echo, or leave it out"));
        foreach (var (field, given) in GivenOfHttp(input).Where(g => g.Given && !http))
            errors.Add(new SpecError(field, "", "is for HTTP requests, and these connections send none", "", "Write --target http://HOST:PORT/, or leave it out"));
        if (input.MessageSize is not null && !echo)
            errors.Add(new SpecError("--message-size", "", "is for an echo, and this is none", "", "Write --workload echo, or leave it out"));
        if (http && echo && input.RequestsPerSecond is not null)
            errors.Add(new SpecError(RequestsPerSecond, "", "is meant for one kind of requests, and there are http and echo", "", "Leave one of them out of --workload"));
        if (!http && !echo)
            return new SpecRequests(input, errors, "/", new PaceSpec(new LoadSpec.Closed(TimeSpan.Zero), _defaultTimeout, 0), null);
        var timeout = fields.Duration("--request-timeout", input.RequestTimeout, _shortest, _longestWait) ?? _defaultTimeout;
        var perConnection = input.RequestsPerConnection is { } most
            ? fields.Count("--requests-per-connection", most, 1, MostPerConnection, "Write --requests-per-connection 100")
            : 0;
        var beat = fields.Duration(Beat, input.Heartbeat, TimeSpan.FromMilliseconds(10), _longestWait) is { } every ? new LoadSpec.Heartbeat(every) : null;
        // Beside others that send requests the held ones have the heartbeat, and the others all that is said of requests else.
        var heldApart = heldBeats && Has(SpecWorkload.Http);
        var pace = new PaceSpec(LoadOf(input, beat, heldApart, fields, errors), timeout, perConnection);
        var heldPace = heldApart && beat is not null ? new PaceSpec(beat, timeout, 0) : pace;
        return new SpecRequests(input, errors, spec.Targets.IsEmpty ? "/" : spec.Targets[0].Path, pace, heldBeats ? heldPace : null);
    }

    /// <summary>The workload of connections that are held: HTTP requests where they have a heartbeat.</summary>
    public WorkloadSpec Held() => _heldPace is null ? new WorkloadSpec.Hold() : Http() with { Pace = _heldPace };

    /// <summary>The HTTP workload.</summary>
    public WorkloadSpec.Http Http() => _http.Value;

    private WorkloadSpec.Http ReadHttp()
    {
        var method = _input.Method?.Trim().ToUpperInvariant() ?? (_input.Body.IsEmpty ? "GET" : "POST");
        if (!HttpText.IsToken(method) || method == "CONNECT")
            _errors.Add(new SpecError("--method", _input.Method ?? "", "is no method", "a word such as GET, HEAD, POST or PUT", "Write --method GET"));
        if (_input.Body.Length > LargestBody)
            _errors.Add(new SpecError("--body", "", $"has {_input.Body.Length:N0} bytes", $"at most {LargestBody:N0}", "Send a smaller one"));
        if (_input.Host is { } host && !HttpText.IsHost(host))
            _errors.Add(new SpecError("--host", host, "cannot be sent as a host", "a name or an address, with a port or without", "Write --host www.example.com"));
        return new(new(method, _path, _input.Host, Fields(), _input.Body), Expected(), _pace);
    }

    /// <summary>The echo workload.</summary>
    public WorkloadSpec.Echo Echo()
    {
        if (_input.MessageSize is not { } given)
            return new(DefaultMessage, _pace);
        var parsed = given.Text is { } text ? SizeText.Parse(text) : given.Value;
        if (parsed.Problem is { } problem)
            _errors.Add(problem.At("--message-size", given.Text ?? ""));
        else if (parsed.Value is < 1 or > LargestMessage)
            _errors.Add(new SpecError("--message-size", given.Text ?? $"{given.Value}", "is out of range", $"1 to {LargestMessage:N0} bytes", "Write --message-size 64"));
        else
            return new((int)parsed.Value, _pace);
        return new(DefaultMessage, _pace);
    }

    private static LoadSpec LoadOf(RunSpecInput input, LoadSpec.Heartbeat? beat, bool heldApart, FieldReader fields, List<SpecError> errors)
    {
        var given = new[]
        {
            (Field: RequestsPerSecond, Given: input.RequestsPerSecond is not null),
            (Field: ThinkTime, Given: input.ThinkTime is not null),
            (Field: Beat, Given: input.Heartbeat is not null && !heldApart),
        }.Where(g => g.Given).Select(g => g.Field).ToList();
        if (given.Count > 1)
            errors.Add(new SpecError(given[0], "", $"cannot stand together with {string.Join(" and ", given.Skip(1))}", "", "Each of them says when requests are sent: give one"));
        var rate = fields.Rate(RequestsPerSecond, input.RequestsPerSecond, HighestRate);
        var think = fields.Duration(ThinkTime, input.ThinkTime, TimeSpan.Zero, _longestWait);
        if (rate is { } perSecond)
            return new LoadSpec.Open(perSecond);
        return beat is not null && !heldApart ? beat : new LoadSpec.Closed(think ?? TimeSpan.Zero);
    }

    private ImmutableArray<HttpField> Fields()
    {
        var fields = ImmutableArray.CreateBuilder<HttpField>();
        if (_input.Headers.Length > MostFields)
            _errors.Add(new SpecError("--header", "", $"is given {_input.Headers.Length} times", $"at most {MostFields} times", "Leave some out"));
        foreach (var text in _input.Headers.Take(MostFields))
        {
            var colon = text.IndexOf(':', StringComparison.Ordinal);
            var (name, value) = colon < 0 ? (text, "") : (text[..colon], text[(colon + 1)..].Trim());
            if (colon < 0 || !HttpText.IsToken(name) || !HttpText.IsValue(value))
                _errors.Add(new SpecError("--header", text, "is no header line", "NAME: VALUE, without control characters", "Write --header 'Accept: */*'"));
            else if (_ours.Contains(name, StringComparer.OrdinalIgnoreCase))
                _errors.Add(new SpecError("--header", text, "is set by the agent itself", "", name.Equals("Host", StringComparison.OrdinalIgnoreCase) ? "Write --host NAME instead" : "Leave it out"));
            else
                fields.Add(new(name, value));
        }

        return fields.ToImmutable();
    }

    private ImmutableArray<PortSpan> Expected()
    {
        if (_input.ExpectStatus is not { } text)
            return _expected;
        var ranges = ImmutableArray.CreateBuilder<PortSpan>();
        foreach (var part in text.Split(','))
        {
            var ends = part.Trim().Split('-');
            if (ends.Length > 2 || !HttpText.TryStatus(ends[0], out var first) || !HttpText.TryStatus(ends[^1], out var last) || last < first)
            {
                _errors.Add(new SpecError("--expect-status", text, $"has '{part.Trim()}', which is no status", "statuses and ranges of them, 100 to 999", "Write --expect-status 200-299,404"));
                return _expected;
            }

            ranges.Add(new(first, last));
        }

        return ranges.ToImmutable();
    }

    private static IEnumerable<(string Field, bool Given)> GivenOf(RunSpecInput input) =>
    [
        (RequestsPerSecond, input.RequestsPerSecond is not null), (ThinkTime, input.ThinkTime is not null), (Beat, input.Heartbeat is not null),
        ("--requests-per-connection", input.RequestsPerConnection is not null), ("--request-timeout", input.RequestTimeout is not null),
    ];

    private static IEnumerable<(string Field, bool Given)> GivenOfHttp(RunSpecInput input) =>
    [
        ("--method", input.Method is not null), ("--header", input.Headers.Length > 0), ("--body", !input.Body.IsEmpty),
        ("--host", input.Host is not null), ("--expect-status", input.ExpectStatus is not null),
    ];
}
