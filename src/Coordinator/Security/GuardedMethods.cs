using System.Reflection;
using Google.Protobuf;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;

namespace LoadHarness.Coordinator.Security;

/// <summary>
/// Makes the methods of a gRPC service known as the framework does, but for one thing: bytes that are no message are the caller's mistake and
/// INVALID_ARGUMENT, and not an error of this process (UNKNOWN) with a trace in its log for each.
/// </summary>
/// <typeparam name="TService">The service.</typeparam>
internal sealed class GuardedMethods<TService> : IServiceMethodProvider<TService>
    where TService : class
{
    /// <inheritdoc/>
    public void OnServiceMethodDiscovery(ServiceMethodProviderContext<TService> context)
    {
        var bind = typeof(TService).GetCustomAttribute<BindServiceMethodAttribute>(inherit: true)
            ?? throw new InvalidOperationException($"{typeof(TService).Name} is no generated gRPC service");
        var parameters = new[] { typeof(ServiceBinderBase), ServiceBase(bind) };
        var method = bind.BindType.GetMethod(bind.BindMethodName, BindingFlags.Public | BindingFlags.Static, parameters)
            ?? throw new InvalidOperationException($"{bind.BindType.Name} has no method {bind.BindMethodName}");
        method.Invoke(null, [new Binder(context), null]);
    }

    // The generated class that the service derives from.
    private static Type ServiceBase(BindServiceMethodAttribute bind)
    {
        var type = typeof(TService);
        while (type.BaseType is { } above && above.GetCustomAttribute<BindServiceMethodAttribute>(inherit: false)?.BindType == bind.BindType)
            type = above;
        return type;
    }

    private sealed class Binder(ServiceMethodProviderContext<TService> context) : ServiceBinderBase
    {
        public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler) =>
            context.AddUnaryMethod(
                Guarded(method), Metadata(method), Open<UnaryServerMethod<TService, TRequest, TResponse>>(method.Name, typeof(TRequest)));

        public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler) =>
            context.AddServerStreamingMethod(
                Guarded(method), Metadata(method), Open<ServerStreamingServerMethod<TService, TRequest, TResponse>>(method.Name, typeof(TRequest)));

        public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler) =>
            context.AddClientStreamingMethod(
                Guarded(method), Metadata(method),
                Open<ClientStreamingServerMethod<TService, TRequest, TResponse>>(method.Name, typeof(IAsyncStreamReader<TRequest>)));

        public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler) =>
            context.AddDuplexStreamingMethod(
                Guarded(method), Metadata(method),
                Open<DuplexStreamingServerMethod<TService, TRequest, TResponse>>(method.Name, typeof(IAsyncStreamReader<TRequest>)));

        private static List<object> Metadata(IMethod method) => [.. typeof(TService).GetMethods().First(m => m.Name == method.Name).GetCustomAttributes(true)];

        private static TInvoker Open<TInvoker>(string name, Type first)
            where TInvoker : Delegate =>
            typeof(TService).GetMethods().First(m => m.Name == name && m.GetParameters() is [var p, ..] && p.ParameterType == first)
                .CreateDelegate<TInvoker>();

        private static Method<TRequest, TResponse> Guarded<TRequest, TResponse>(Method<TRequest, TResponse> method)
            where TRequest : class
            where TResponse : class
        {
            var sound = method.RequestMarshaller;
            var guarded = Marshallers.Create<TRequest>(sound.ContextualSerializer, context => Read(sound, context));
            return new(method.Type, method.ServiceName, method.Name, guarded, method.ResponseMarshaller);
        }

        private static TRequest Read<TRequest>(Marshaller<TRequest> marshaller, DeserializationContext context)
        {
            try
            {
                return marshaller.ContextualDeserializer(context);
            }
            catch (InvalidProtocolBufferException e)
            {
                throw new RpcException(new Status(StatusCode.InvalidArgument, $"these bytes are no {typeof(TRequest).Name}: {e.Message}"));
            }
        }
    }
}
