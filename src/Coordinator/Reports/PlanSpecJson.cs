using System.Text.Json.Nodes;
using LoadHarness.Coordinator.Planning;
using LoadHarness.Coordinator.Specs;
using LoadHarness.V1;
using RunSpec = LoadHarness.Coordinator.Specs.RunSpec;
using WorkloadShare = LoadHarness.Coordinator.Specs.WorkloadShare;

namespace LoadHarness.Coordinator.Reports;

/// <summary>What connections do and what carries them, in the JSON of a plan: the names are those of the options; no key, no certificate.</summary>
internal static class PlanSpecJson
{
    /// <summary>The kinds, with their part of the goal.</summary>
    public static JsonArray Workload(RunSpec spec) => new([.. spec.Workload.Select(w => (JsonNode)Of(spec, w))]);

    /// <summary>What is null is as the kernel or OpenSSL has it.</summary>
    public static JsonObject Transport(TransportSpec transport) => new()
    {
        ["tls"] = transport.Tls is { } tls ? Of(tls) : null,
        ["proxyProtocol"] = transport.Proxy is { } proxy
            ? new JsonObject { ["version"] = $"v{proxy.Version}", ["clients"] = proxy.Clients?.ToString(), ["clientCount"] = proxy.Clients?.Count }
            : null,
        ["noDelay"] = transport.Socket.NoDelay,
        ["keepAliveSeconds"] = transport.Socket.KeepAlive?.TotalSeconds,
        ["sendBuffer"] = transport.Socket.SendBuffer,
        ["receiveBuffer"] = transport.Socket.ReceiveBuffer,
        ["userTimeoutSeconds"] = transport.Socket.UserTimeout?.TotalSeconds,
    };

    private static JsonObject Of(RunSpec spec, WorkloadShare share)
    {
        var json = new JsonObject
        {
            ["kind"] = share.Workload.Name,
            ["weight"] = share.Weight,
            ["connections"] = LoadForecast.ConnectionsOf(spec, share),
        };
        switch (share.Workload)
        {
            case WorkloadSpec.Churn churn:
                json["lifetime"] = churn.Life is { } life ? LifetimeText.Format(life) : null;
                json["close"] = churn.Close switch { CloseMethod.Rst => SpecWorkload.Rst, CloseMethod.Peer => SpecWorkload.Peer, _ => SpecWorkload.Fin };
                break;
            case WorkloadSpec.Http http:
                json["method"] = http.Request.Method;
                json["path"] = http.Request.Path;
                json["bodyBytes"] = http.Request.Body.Length;
                json["expectStatus"] = string.Join(',', http.Expected);
                break;
            case WorkloadSpec.Echo echo:
                json["messageSize"] = echo.Size;
                break;
        }

        if (share.Workload.Requests is { } pace)
            Add(json, spec, share, pace);
        return json;
    }

    private static void Add(JsonObject json, RunSpec spec, WorkloadShare share, PaceSpec pace)
    {
        json["model"] = pace.Load switch { LoadSpec.Open => "open", LoadSpec.Heartbeat => "heartbeat", _ => "closed" };
        json["requestsPerSecond"] = pace.Load switch
        {
            LoadSpec.Open open => open.RequestsPerSecond,
            LoadSpec.Heartbeat beat => LoadForecast.ConnectionsOf(spec, share) / beat.Every.TotalSeconds,
            _ => null,
        };
        json["thinkTimeSeconds"] = (pace.Load as LoadSpec.Closed)?.ThinkTime.TotalSeconds;
        json["heartbeatSeconds"] = (pace.Load as LoadSpec.Heartbeat)?.Every.TotalSeconds;
        json["requestsPerConnection"] = pace.PerConnection > 0 ? pace.PerConnection : null;
        json["requestTimeoutSeconds"] = pace.Timeout.TotalSeconds;
    }

    private static JsonObject Of(TlsSpec tls) => new()
    {
        ["min"] = tls.Lowest == TlsVersion.V13 ? "1.3" : "1.2",
        ["max"] = tls.Highest == TlsVersion.V12 ? "1.2" : "1.3",
        ["verified"] = !tls.Insecure,
        ["ownAuthorities"] = !tls.Authorities.IsEmpty,
        ["clientCertificate"] = !tls.Certificate.IsEmpty,
        ["sni"] = tls.ServerName.Length > 0 ? tls.ServerName : null,
        ["alpn"] = new JsonArray([.. tls.Alpn.Select(p => (JsonNode)p)]),
        ["resume"] = tls.Resume,
        ["idle"] = tls.ReleasesIdle ? SpecTransport.Release : SpecTransport.Keep,
        ["shutdown"] = tls.ShutsDownQuietly ? SpecTransport.Quiet : "proper",
    };
}
