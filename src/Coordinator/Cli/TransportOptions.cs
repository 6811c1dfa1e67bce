using System.CommandLine;
using System.CommandLine.Parsing;
using LoadHarness.Coordinator.Specs;

namespace LoadHarness.Coordinator.Cli;

/// <summary>The options that say what carries connections.</summary>
internal sealed class TransportOptions
{
    private readonly Option<string> _ca = VerbOptions.Text("--tls-ca", "FILE", "Certificates to trust, PEM: ca.pem; else the roots of the agents' hosts");
    private readonly Option<bool> _insecure = VerbOptions.Flag("--tls-insecure", "Take any certificate; the plan says so in capitals");
    private readonly Option<string> _cert = VerbOptions.Text("--tls-cert", "FILE", "The client's own certificate with its chain, PEM");
    private readonly Option<string> _key = VerbOptions.Text("--tls-key", "FILE", "Its key, PEM without a passphrase");
    private readonly Option<string> _sni = VerbOptions.Text("--tls-sni", "NAME", "The server to ask for and to verify, where it is not the target's name: www.example.com");
    private readonly Option<string> _alpn = VerbOptions.Text("--tls-alpn", "LIST", "Protocols to offer, with commas between: http/1.1");
    private readonly Option<string> _min = VerbOptions.Text("--tls-min", "VERSION", "1.2 (the default) or 1.3");
    private readonly Option<string> _max = VerbOptions.Text("--tls-max", "VERSION", "1.2 or 1.3 (the default)");
    private readonly Option<string> _ciphers = VerbOptions.Text("--tls-ciphers", "LIST", "Cipher suites of TLS 1.2 as in openssl-ciphers(1): ECDHE+AESGCM");
    private readonly Option<string> _suites = VerbOptions.Text("--tls-suites", "LIST", "Cipher suites of TLS 1.3, with colons between: TLS_AES_128_GCM_SHA256");
    private readonly Option<string> _groups = VerbOptions.Text("--tls-groups", "LIST", "Groups for the key exchange: X25519:P-256");
    private readonly Option<string> _resume = VerbOptions.Text("--tls-resume", "PART", "Handshakes that resume an earlier session: never (the default), always, or 30%");
    private readonly Option<string> _idle = VerbOptions.Text("--tls-idle", "HOW", "TLS state of connections that never send: keep (the default) or release (28 KB each)");
    private readonly Option<string> _shutdown = VerbOptions.Text("--tls-shutdown", "HOW", "At the end: proper (close_notify; the default) or quiet");
    private readonly Option<string> _proxy = VerbOptions.Text("--proxy-protocol", "VERSION", "Begin each connection with a PROXY header: v1 or v2");
    private readonly Option<string> _clients = VerbOptions.Text("--proxy-clients", "CIDR", "Who is said to connect in it, one after the other: 10.128.0.0/11");
    private readonly Option<string> _noDelay = VerbOptions.Text("--nodelay", "HOW", "TCP_NODELAY: on (where requests are sent) or off");
    private readonly Option<string> _keepAlive = VerbOptions.Text("--keepalive", "TIME", "Have the kernel probe idle connections this often: 30s");
    private readonly Option<string> _sendBuffer = VerbOptions.Text("--send-buffer", "BYTES", "SO_SNDBUF: 256k (as the kernel has it)");
    private readonly Option<string> _receiveBuffer = VerbOptions.Text("--receive-buffer", "BYTES", "SO_RCVBUF: 256k (as the kernel has it)");
    private readonly Option<string> _userTimeout = VerbOptions.Text("--tcp-user-timeout", "TIME", "How long sent data may stay without an answer: 30s");

    /// <summary>For the verb's own list.</summary>
    public IEnumerable<Symbol> Symbols =>
    [
        _ca, _insecure, _cert, _key, _sni, _alpn, _min, _max, _ciphers, _suites, _groups, _resume, _idle, _shutdown,
        _proxy, _clients, _noDelay, _keepAlive, _sendBuffer, _receiveBuffer, _userTimeout,
    ];

    /// <summary>Adds what was asked for.</summary>
    /// <param name="input">The rest of the spec.</param>
    /// <param name="parsed">The command line.</param>
    /// <param name="errors">Takes files that cannot be read.</param>
    public RunSpecInput AddTo(RunSpecInput input, ParseResult parsed, List<SpecError> errors) => input with
    {
        Tls = new TlsInput
        {
            Authorities = FileOf(parsed, _ca, errors),
            Insecure = parsed.GetResult(_insecure) is { Implicit: false },
            Certificate = FileOf(parsed, _cert, errors),
            Key = FileOf(parsed, _key, errors),
            ServerName = Verb.TextOf(parsed, _sni),
            Alpn = Verb.TextOf(parsed, _alpn),
            Min = Verb.TextOf(parsed, _min),
            Max = Verb.TextOf(parsed, _max),
            Ciphers = Verb.TextOf(parsed, _ciphers),
            CipherSuites = Verb.TextOf(parsed, _suites),
            Groups = Verb.TextOf(parsed, _groups),
            Resume = Verb.Given<double>(parsed, _resume),
            Idle = Verb.TextOf(parsed, _idle),
            Shutdown = Verb.TextOf(parsed, _shutdown),
        },
        ProxyProtocol = Verb.TextOf(parsed, _proxy),
        ProxyClients = Verb.TextOf(parsed, _clients),
        NoDelay = Verb.TextOf(parsed, _noDelay),
        KeepAlive = Verb.Given<TimeSpan>(parsed, _keepAlive),
        SendBuffer = Verb.Given<long>(parsed, _sendBuffer),
        ReceiveBuffer = Verb.Given<long>(parsed, _receiveBuffer),
        UserTimeout = Verb.Given<TimeSpan>(parsed, _userTimeout),
    };

    /// <summary>The path that was typed for a field that is a file; null when it is none.</summary>
    public string? PathOf(ParseResult parsed, string field)
    {
        Option<string>[] files = [_ca, _cert, _key];
        return Array.Find(files, o => o.Name == field) is { } file ? Verb.TextOf(parsed, file) : null;
    }

    private static byte[] FileOf(ParseResult parsed, Option<string> option, List<SpecError> errors) =>
        Verb.TextOf(parsed, option) is { } path ? NamedFile.Read(option.Name, path, errors) : [];
}
