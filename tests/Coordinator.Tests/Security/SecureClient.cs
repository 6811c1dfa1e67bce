using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using LoadHarness.Coordinator.Tests.Fleet;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Tests.Security;

/// <summary>Dials a coordinator as a user or an agent does, with what credentials the test gives it.</summary>
internal sealed class SecureClient : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly GrpcChannel _channel;
    private readonly List<IDisposable> _calls = [];

    private SecureClient(GrpcChannel channel, string? token)
    {
        _channel = channel;
        Invoker = token is null ? channel.CreateCallInvoker() : channel.Intercept(headers =>
        {
            headers.Add("authorization", token.Contains(' ') ? token : $"Bearer {token}");
            return headers;
        });
    }

    public CallInvoker Invoker { get; }

    public Control.ControlClient Control => new(Invoker);

    /// <summary>The certificate that the coordinator presented in the newest handshake.</summary>
    public string? Presented { get; private set; }

    /// <param name="endpoint">Where it listens.</param>
    /// <param name="authority">Who must have issued its certificate.</param>
    /// <param name="now">At what time that must be valid.</param>
    /// <param name="token">Sent as `Bearer`; with a space in it: sent as it is; null: nothing.</param>
    /// <param name="certificate">Presented; null: none.</param>
    public static SecureClient OverTls(
        IPEndPoint endpoint, X509Certificate2 authority, DateTimeOffset now, string? token, X509Certificate2? certificate)
    {
        SecureClient? client = null;
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            VerificationTime = now.UtcDateTime,
            VerificationTimeIgnored = false,
        };
        policy.CustomTrustStore.Add(authority);
        var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                TargetHost = endpoint.Address.ToString(),
                CertificateChainPolicy = policy,
                ClientCertificates = certificate is null ? null : [certificate],
                LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate!,
                RemoteCertificateValidationCallback = (_, remote, _, errors) =>
                {
                    client!.Presented = (remote as X509Certificate2)?.SerialNumber;
                    return errors == SslPolicyErrors.None;
                },
            },
        };
        return client = new(Channel($"https://{endpoint}", handler), token);
    }

    public static SecureClient OverSocket(string path, string? token) => new(
        Channel("http://localhost", new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancel) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancel);
                return new NetworkStream(socket, ownsSocket: true);
            },
        }),
        token);

    public static SecureClient OverPlain(IPEndPoint endpoint, string? token) =>
        new(Channel($"http://{endpoint}", new SocketsHttpHandler()), token);

    /// <summary>Makes any call there is, with an empty message, and says how it ended. Nobody who lets it through has looked at the message.</summary>
    public async Task<Status> CallAsync(MethodDescriptor method)
    {
        var empty = Marshallers.Create<byte[]>(b => b, b => b);
        var type = (method.IsClientStreaming, method.IsServerStreaming) switch
        {
            (false, false) => MethodType.Unary,
            (true, false) => MethodType.ClientStreaming,
            (false, true) => MethodType.ServerStreaming,
            _ => MethodType.DuplexStreaming,
        };
        return await CallAsync(new Method<byte[], byte[]>(type, method.Service.FullName, method.Name, empty, empty));
    }

    public async Task<Status> CallAsync(Method<byte[], byte[]> method)
    {
        using var cancel = new CancellationTokenSource(_patience);
        var options = new CallOptions(cancellationToken: cancel.Token);
        try
        {
            switch (method.Type)
            {
                case MethodType.Unary:
                    await Invoker.AsyncUnaryCall(method, null, options, []);
                    break;
                case MethodType.ClientStreaming:
                    {
                        using var call = Invoker.AsyncClientStreamingCall(method, null, options);
                        await call.RequestStream.CompleteAsync();
                        await call;
                        break;
                    }

                case MethodType.ServerStreaming:
                    {
                        using var call = Invoker.AsyncServerStreamingCall(method, null, options, []);
                        await call.ResponseStream.MoveNext(cancel.Token);
                        break;
                    }

                default:
                    {
                        using var call = Invoker.AsyncDuplexStreamingCall(method, null, options);
                        await call.RequestStream.CompleteAsync();
                        await call.ResponseStream.MoveNext(cancel.Token);
                        break;
                    }
            }
        }
        catch (RpcException e)
        {
            return e.Status;
        }

        return Status.DefaultSuccess;
    }

    /// <summary>Says hello and stays attached, well whenever it is asked; returns the coordinator's first word.</summary>
    public async Task<AttachResponse> AttachAsync(Hello hello)
    {
        var call = new AgentLink.AgentLinkClient(Invoker).Attach();
        _calls.Add(call);
        await WriteAsync(call.RequestStream, new AttachRequest { Hello = hello });
        using var cancel = new CancellationTokenSource(_patience);
        await call.ResponseStream.MoveNext(cancel.Token);
        var first = call.ResponseStream.Current;
        _ = AnswerAsync(call);
        return first;
    }

    /// <summary>Uploads nothing but its hello; returns when the coordinator has ended the call.</summary>
    public async Task<Status> UploadAsync(UploadHello hello, Sample? sample = null)
    {
        using var call = new AgentLink.AgentLinkClient(Invoker).Upload();
        using var cancel = new CancellationTokenSource(_patience);
        try
        {
            await WriteAsync(call.RequestStream, new UploadRequest { Hello = hello });
            if (sample is not null)
                await WriteAsync(call.RequestStream, new UploadRequest { Sample = sample });
            await call.RequestStream.CompleteAsync();
            while (await call.ResponseStream.MoveNext(cancel.Token))
            {
                // Acknowledgements.
            }
        }
        catch (RpcException e)
        {
            return e.Status;
        }

        return call.GetStatus();
    }

    public void Dispose()
    {
        _calls.ForEach(c => c.Dispose());
        _channel.Dispose();
    }

    private static async Task AnswerAsync(AsyncDuplexStreamingCall<AttachRequest, AttachResponse> call)
    {
        try
        {
            while (await call.ResponseStream.MoveNext(CancellationToken.None))
            {
                if (call.ResponseStream.Current.CheckQuery is { } query)
                    await WriteAsync(call.RequestStream, new AttachRequest { CheckAnswer = FakeAgent.Well(query) });
            }
        }
        catch (RpcException)
        {
            // The coordinator, or the test, has ended the call.
        }
    }

    // A call that was refused takes no more messages; why is what reading it tells.
    private static async Task WriteAsync<T>(IClientStreamWriter<T> stream, T message)
    {
        try
        {
            await stream.WriteAsync(message);
        }
        catch (Exception e) when (e is InvalidOperationException or RpcException)
        {
        }
    }

    private static GrpcChannel Channel(string address, SocketsHttpHandler handler) =>
        GrpcChannel.ForAddress(address, new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true });
}
