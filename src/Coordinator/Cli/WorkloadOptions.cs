using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text;
using LoadHarness.Coordinator.Specs;

namespace LoadHarness.Coordinator.Cli;

/// <summary>The options that say what connections do once they are open.</summary>
internal sealed class WorkloadOptions
{
    private readonly Option<string> _workload = VerbOptions.Text(
        "--workload", "NAME", "hold (keep them open), churn (close after --lifetime and open others), http or echo; for an http target http, else hold; several with weights: hold=80,http=15,churn=5");
    private readonly Option<string> _lifetime = VerbOptions.Text(
        "--lifetime", "TIME", "How long a connection lives that churns: 10s; 5s-15s evenly between; exp:10s exponentially");
    private readonly Option<string> _close = VerbOptions.Text("--close", "HOW", "How it ends then: fin (TIME-WAIT here; the default), rst, or peer (the target closes)");
    private readonly Option<string> _reuse = VerbOptions.Text(
        "--reuse", "HOW", "What becomes of its tuple: rest (for 60s, as ordinary clients do; the default) or immediate");
    private readonly Option<string> _requestsPerSecond = VerbOptions.Text(
        "--requests-per-second", "RATE", "Requests of the whole run per second, whatever the answers (open model): 20k");
    private readonly Option<string> _thinkTime = VerbOptions.Text(
        "--think-time", "TIME", "From an answer to the next request of a connection (closed model): 100ms (0s)");
    private readonly Option<string> _heartbeat = VerbOptions.Text("--heartbeat", "TIME", "One request per connection in so long, spread evenly: 30s; beside http that of the held ones");
    private readonly Option<string> _requestsPerConnection = VerbOptions.Text("--requests-per-connection", "N", "Close a connection by FIN after so many requests: 100 (never)");
    private readonly Option<string> _requestTimeout = VerbOptions.Text("--request-timeout", "TIME", "How long a request may take: 5s (30s)");
    private readonly Option<string> _method = VerbOptions.Text("--method", "NAME", "Of HTTP requests: HEAD (GET; with a body POST)");
    private readonly Option<string[]> _headers = VerbOptions.Texts("--header", "LINE", "A header line, as in 'Accept: */*'; may be repeated", "-H");
    private readonly Option<string> _body = VerbOptions.Text("--body", "TEXT", "Of HTTP requests: 'a=1&b=2', or @FILE for what is in a file");
    private readonly Option<string> _host = VerbOptions.Text("--host", "NAME", "The Host to ask for, where it is not the target's name: www.example.com");
    private readonly Option<string> _expectStatus = VerbOptions.Text("--expect-status", "LIST", "Statuses that are fine: 200-299,404 (200-399)");
    private readonly Option<string> _messageSize = VerbOptions.Text("--message-size", "BYTES", "Of an echo: 1k (64)");

    /// <summary>For the verb's own list.</summary>
    public IEnumerable<Symbol> Symbols =>
    [
        _workload, _lifetime, _close, _reuse, _requestsPerSecond, _thinkTime, _heartbeat, _requestsPerConnection, _requestTimeout,
        _method, _headers, _body, _host, _expectStatus, _messageSize,
    ];

    /// <summary>Adds what was asked for.</summary>
    /// <param name="input">The rest of the spec.</param>
    /// <param name="parsed">The command line.</param>
    /// <param name="errors">Takes files that cannot be read.</param>
    public RunSpecInput AddTo(RunSpecInput input, ParseResult parsed, List<SpecError> errors) => input with
    {
        Workload = Verb.TextOf(parsed, _workload),
        Lifetime = Verb.TextOf(parsed, _lifetime) is { } lifetime ? lifetime : (LifetimeInput?)null,
        Close = Verb.TextOf(parsed, _close),
        Reuse = Verb.TextOf(parsed, _reuse),
        RequestsPerSecond = Verb.Given<double>(parsed, _requestsPerSecond),
        ThinkTime = Verb.Given<TimeSpan>(parsed, _thinkTime),
        Heartbeat = Verb.Given<TimeSpan>(parsed, _heartbeat),
        RequestsPerConnection = Verb.Given<long>(parsed, _requestsPerConnection),
        RequestTimeout = Verb.Given<TimeSpan>(parsed, _requestTimeout),
        Method = Verb.TextOf(parsed, _method),
        Headers = [.. Verb.TextsOf(parsed.GetResult(_headers))],
        Body = BodyOf(Verb.TextOf(parsed, _body), errors),
        Host = Verb.TextOf(parsed, _host),
        ExpectStatus = Verb.TextOf(parsed, _expectStatus),
        MessageSize = Verb.Given<long>(parsed, _messageSize),
    };

    private ReadOnlyMemory<byte> BodyOf(string? text, List<SpecError> errors) => text switch
    {
        null => default,
        ['@', .. var path] => NamedFile.Read(_body.Name, path, errors),
        _ => Encoding.UTF8.GetBytes(text),
    };
}
