using System.Security.Cryptography;
using LoadHarness.Coordinator.Store;
using LoadHarness.Coordinator.Tests.LocalFleet;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoadHarness.Coordinator.Tests.Store;

/// <summary>What tests of stores say often.</summary>
internal static class StoreFixture
{
    public static readonly DateTimeOffset Now = new(2026, 3, 4, 5, 6, 7, TimeSpan.Zero);

    public static CoordinatorStore Open(string path, ILogger? log = null) =>
        CoordinatorStore.Open(path, TimeProvider.System, log ?? NullLogger.Instance);

    public static CoordinatorStore Open(string path, StoreSchema schema) =>
        CoordinatorStore.Open(path, schema, TimeProvider.System, NullLogger.Instance);

    public static RunRow Run(string id, string requestId = "") =>
        new(id, requestId, "{}", "Pending", "", Now, null, null, null, null);

    public static SampleRow Sample(string runId, ulong sequence, int bytes = 100) =>
        new(runId, "a", "life", sequence, TimeSpan.FromSeconds(sequence), new byte[bytes]);

    /// <summary>A store as the kernel has it after its process was killed: nothing was closed, nothing moved out of the log.</summary>
    public static string CopyAsKilled(string path, TemporaryDirectory directory)
    {
        var copy = directory.File("killed.db");
        File.Copy(path, copy);
        File.Copy(path + "-wal", copy + "-wal");
        return copy;
    }

    /// <summary>What lies in the file and in its log.</summary>
    public static string Hash(string path) => string.Join(' ',
        new[] { path, path + "-wal" }.Select(p => File.Exists(p) ? Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(p))) : "none"));

    /// <summary>Executes a statement behind the store's back.</summary>
    public static void Execute(string path, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
