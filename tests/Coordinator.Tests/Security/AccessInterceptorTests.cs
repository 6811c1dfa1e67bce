using Google.Protobuf.Reflection;
using Grpc.Core;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Tests.Fleet;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Tests.Security;

/// <summary>Every call there is, found by reflection: one that is added later is in here without anybody's doing.</summary>
public sealed class AccessInterceptorTests
{
    private static IEnumerable<TestCaseData> Calls() =>
        from file in new[] { AgentLinkReflection.Descriptor, ControlReflection.Descriptor }
        from service in file.Services
        from method in service.Methods
        from credential in new[] { "none", "wrong", "other scheme", "cut" }
        select new TestCaseData(method, credential).SetArgDisplayNames($"{service.Name}.{method.Name}", credential);

    [TestCaseSource(nameof(Calls))]
    public async Task Call_WithoutTheCredential_IsUnauthenticatedWithARemedy(MethodDescriptor method, string kind)
    {
        await using var fixture = await FleetFixture.StartAsync();
        using var channel = CoordinatorChannel.ForSocket(fixture.SocketPath, null);
        var headers = new Metadata();
        if (kind != "none")
        {
            headers.Add("authorization", kind switch
            {
                "wrong" => "Bearer " + Credential.Generate().Value,
                "cut" => "Bearer " + fixture.Credential.Value[..^1],
                _ => "Basic " + fixture.Credential.Value,
            });
        }

        var status = await CallAsync(channel.Invoker, method, headers);

        Assert.Multiple(() =>
        {
            Assert.That(status.StatusCode, Is.EqualTo(StatusCode.Unauthenticated));
            Assert.That(status.Detail, Does.Contain(fixture.CredentialPath));
            Assert.That(status.Detail, Does.Not.Contain(fixture.Credential.Value));
        });
    }

    [Test]
    public async Task Call_WithTheCredential_IsServed()
    {
        await using var fixture = await FleetFixture.StartAsync();

        Assert.That((await fixture.Control.ListRunsAsync(new())).Runs, Is.Empty);
    }

    // Empty messages do: nobody looks at them.
    private static async Task<Status> CallAsync(CallInvoker invoker, MethodDescriptor method, Metadata headers)
    {
        var empty = Marshallers.Create<byte[]>(b => b, b => b);
        var type = (method.IsClientStreaming, method.IsServerStreaming) switch
        {
            (false, false) => MethodType.Unary,
            (true, false) => MethodType.ClientStreaming,
            (false, true) => MethodType.ServerStreaming,
            _ => MethodType.DuplexStreaming,
        };
        var call = new Method<byte[], byte[]>(type, method.Service.FullName, method.Name, empty, empty);
        var options = new CallOptions(headers, DateTime.UtcNow.AddSeconds(20));
        try
        {
            switch (type)
            {
                case MethodType.Unary:
                    await invoker.AsyncUnaryCall(call, null, options, []);
                    break;
                case MethodType.ClientStreaming:
                    await invoker.AsyncClientStreamingCall(call, null, options);
                    break;
                case MethodType.ServerStreaming:
                    await invoker.AsyncServerStreamingCall(call, null, options, []).ResponseStream.MoveNext(CancellationToken.None);
                    break;
                default:
                    await invoker.AsyncDuplexStreamingCall(call, null, options).ResponseStream.MoveNext(CancellationToken.None);
                    break;
            }
        }
        catch (RpcException e)
        {
            return e.Status;
        }

        return Status.DefaultSuccess;
    }
}
