using System.CommandLine;
using LoadHarness.Benchmarks;

var agent = new Option<string>("--agent") { Description = "Path of the published loadharness-agent.", Required = true };
var limits = new Option<string>("--limits") { Description = "Folder of the built C programs: sink, opener, million, diag.", Required = true };
var rounds = new Option<int>("--rounds") { Description = "Counted rounds after one that warms up.", DefaultValueFactory = _ => 5 };
var opened = new Option<int>("--connections")
{
    Description = "Connections beside million, which lets the kernel choose ports: above 100,000 run in a network namespace of its own with "
        + "net.ipv4.ip_local_port_range at 1024 65535.",
    DefaultValueFactory = _ => 100_000,
};
var open = new Command("open", "Open and hold, beside the C programs, in one run.") { agent, limits, opened, rounds };
open.SetAction((parsed, _) =>
    new OpenBenchmark(parsed.GetRequiredValue(agent), new LimitPrograms(parsed.GetRequiredValue(limits)), parsed.GetValue(opened), parsed.GetValue(rounds)).RunAsync());
var connections = new Option<int>("--connections") { Description = "Pairs to hold while the kernel is read.", DefaultValueFactory = _ => 200_000 };
var kernelView = new Command("kernel-view", "Read the kernel view, beside the C program diag, in one run.") { limits, connections, rounds };
kernelView.SetAction(parsed =>
    new KernelViewBenchmark(new LimitPrograms(parsed.GetRequiredValue(limits)), parsed.GetValue(connections), parsed.GetValue(rounds)).Run());
var fill = new Command("fill", "Fill one source and destination to 97 % of its ports, beside ports that the kernel chooses.") { agent, limits, rounds };
fill.SetAction((parsed, _) =>
    new FillBenchmark(parsed.GetRequiredValue(agent), new LimitPrograms(parsed.GetRequiredValue(limits)), parsed.GetValue(rounds)).RunAsync());
var handshakes = new Option<int>("--handshakes") { Description = "Handshakes of each round.", DefaultValueFactory = _ => 5_000 };
var tls = new Command("tls", "Handshake, GET and close against HAProxy, beside the C program, in one run.") { agent, limits, handshakes, rounds };
tls.SetAction((parsed, _) => new TlsBenchmark(
    parsed.GetRequiredValue(agent), new LimitPrograms(parsed.GetRequiredValue(limits)), parsed.GetValue(handshakes), parsed.GetValue(rounds)).CompareAsync());
var tlsChurned = new Option<int>("--handshakes") { Description = "Handshakes in all.", DefaultValueFactory = _ => 200_000 };
var tlsChurn = new Command("tls-churn", "What memory the agent has while TLS connections come and go.") { agent, tlsChurned };
tlsChurn.SetAction((parsed, _) => new TlsBenchmark(parsed.GetRequiredValue(agent), new LimitPrograms(""), parsed.GetValue(tlsChurned), 0).ChurnAsync());
var idle = new Option<int>("--connections") { Description = "Idle TLS connections; kept, 45,000 take 3 GB.", DefaultValueFactory = _ => 45_000 };
var tlsIdle = new Command("tls-idle", "What idle TLS connections take, kept and released; in a network namespace of its own.") { agent, idle };
tlsIdle.SetAction((parsed, _) => new TlsIdleBenchmark(parsed.GetRequiredValue(agent), parsed.GetValue(idle)).RunAsync());
var keptAlive = new Option<int[]>("--connections") { Description = "Connections to send requests on, at most 15,000 for one reactor.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [100, 15_000] };
var requests = new Option<long>("--requests") { Description = "Requests in a round.", DefaultValueFactory = _ => 500_000 };
var http = new Command("http", "Send keep-alive requests, beside the C program opener and wrk, in one run. Wants a network namespace of its own with net.ipv4.ip_local_port_range at 1024 65535.")
{
    agent, limits, keptAlive, requests, rounds,
};
http.SetAction((parsed, _) => new HttpBenchmark(
    parsed.GetRequiredValue(agent), new LimitPrograms(parsed.GetRequiredValue(limits)), parsed.GetRequiredValue(keptAlive), parsed.GetValue(requests), parsed.GetValue(rounds)).RunAsync());
var churned = new Option<int>("--connections") { Description = "Connections in a round.", DefaultValueFactory = _ => 60_000 };
var churn = new Command("churn", "Open and close by FIN and by RST, beside the C program opener, in one run.") { agent, limits, churned, rounds };
churn.SetAction((parsed, _) => new ChurnBenchmark(
    parsed.GetRequiredValue(agent), new LimitPrograms(parsed.GetRequiredValue(limits)), parsed.GetValue(churned), parsed.GetValue(rounds)).RunAsync());
var kept = new Option<int>("--connections") { Description = "Connections to keep alive; 200,000 take 4 GB.", DefaultValueFactory = _ => 200_000 };
var every = new Option<int>("--every") { Description = "Seconds between two requests of a connection.", DefaultValueFactory = _ => 30 };
var during = new Option<int>("--seconds") { Description = "How long, once all are open.", DefaultValueFactory = _ => 300 };
var heartbeat = new Command("heartbeat", "Keep connections alive by requests: misses, cost and spread.") { agent, limits, kept, every, during };
heartbeat.SetAction((parsed, _) => new HeartbeatBenchmark(
    parsed.GetRequiredValue(agent), new LimitPrograms(parsed.GetRequiredValue(limits)), parsed.GetValue(kept), TimeSpan.FromSeconds(parsed.GetValue(every)), TimeSpan.FromSeconds(parsed.GetValue(during))).RunAsync());
var root = new RootCommand("LoadHarness side by side with the physical limit; example: open --agent artifacts/agent-aot/loadharness-agent --limits DIR")
{
    open, fill, kernelView, tls, tlsChurn, tlsIdle, http, churn, heartbeat,
};
return await root.Parse(args).InvokeAsync();
