using System.Buffers.Binary;
using LoadHarness.Coordinator.Interop;
using Microsoft.Data.Sqlite;

namespace LoadHarness.Coordinator.Store;

/// <summary>
/// The database file: made, looked at and brought up to date. A file that is not ours, newer than the program or damaged is only ever
/// opened for reading, and stays as it is byte for byte.
/// </summary>
internal static class StoreFile
{
    /// <summary>Marks our files (SQLite's application_id): "LhSt".</summary>
    public const int ApplicationId = 0x4C685374;

    private const int HeaderSize = 100;
    private const int ApplicationIdOffset = 68;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Opens the store for writing; makes it when there is no file.</summary>
    /// <param name="path">The file; its directory exists.</param>
    /// <param name="schema">What this program knows.</param>
    /// <param name="now">For the record.</param>
    /// <exception cref="StoreException">It cannot be made or used; the message says what to do.</exception>
    public static SqliteConnection Open(string path, StoreSchema schema, DateTimeOffset now)
    {
        try
        {
            if (!File.Exists(path) && !Directory.Exists(path))
                Make(path, schema, now);
            else
                Inspect(path, schema);
            var connection = Connect(path, SqliteOpenMode.ReadWrite);
            try
            {
                Prepare(connection);
                Migrate(connection, schema);
                return connection;
            }
            catch
            {
                connection.Dispose();
                throw;
            }
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException)
        {
            throw new StoreException($"cannot open the store {path}: {Explain(e, path)}", e);
        }
    }

    /// <summary>A connection of one's own. Writers wait for each other for a while; readers never do.</summary>
    public static SqliteConnection Connect(string path, SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = mode,
            // Connections are few and live long; a pool would keep the file open after its owner has let it go.
            Pooling = false,
            ForeignKeys = true,
            DefaultTimeout = 30,
        }.ToString());
        connection.Open();
        Execute(connection, "PRAGMA busy_timeout = 5000");
        return connection;
    }

    /// <summary>What stands against writing, in words with a remedy.</summary>
    public static string Explain(Exception e, string path) => e is not SqliteException sqlite ? e.Message : sqlite.SqliteErrorCode switch
    {
        SqliteCode.Full => $"no room is left on the device of {Path.GetDirectoryName(path)}; free some",
        SqliteCode.InputOutput => $"the device refuses ({e.Message}); look at `dmesg` and at the room on {Path.GetDirectoryName(path)}",
        SqliteCode.ReadOnly or SqliteCode.CannotOpen or SqliteCode.NoPermission =>
            $"this user must be able to write to {path} and to its directory ({e.Message})",
        SqliteCode.Busy or SqliteCode.Locked => "another program holds it locked; end that one",
        _ => e.Message,
    };

    // Made beside and renamed: a coordinator that is killed while it makes its store leaves none, and not half of one.
    private static void Make(string path, StoreSchema schema, DateTimeOffset now)
    {
        var beside = path + ".new";
        foreach (var rest in new[] { beside, beside + "-journal", path + "-wal", path + "-shm" })
            File.Delete(rest);
        var closed = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly };
        File.Open(beside, closed).Dispose();
        using (var connection = Connect(beside, SqliteOpenMode.ReadWrite))
        {
            Execute(connection, $"PRAGMA application_id = {ApplicationId}");
            using var transaction = connection.BeginTransaction();
            foreach (var script in schema.Scripts)
                Execute(connection, script);
            using var insert = connection.CreateCommand();
            insert.CommandText = "INSERT INTO meta (id, schema_version, store_id, epoch, written_at) VALUES (1, $version, $id, 0, $now)";
            insert.Parameters.AddWithValue("$version", schema.Version);
            insert.Parameters.AddWithValue("$id", Guid.NewGuid().ToString("N"));
            insert.Parameters.AddWithValue("$now", now.ToUnixTimeMilliseconds());
            insert.ExecuteNonQuery();
            transaction.Commit();
        }

        File.Move(beside, path);
    }

    private static void Inspect(string path, StoreSchema schema)
    {
        InspectHeader(path);
        try
        {
            using var connection = ConnectToLook(path);
            var version = Convert.ToInt64(Scalar(connection, "SELECT schema_version FROM meta"), null);
            if (version > schema.Version)
            {
                throw new StoreException($"{path} was written by a newer loadharness (schema {version}; this one knows {schema.Version}); "
                    + "start that version, or use another folder; the file was left as it is");
            }

            if (Scalar(connection, "PRAGMA quick_check(1)") as string is not "ok" and var problem)
                throw Damaged(path, problem ?? "no answer");
        }
        catch (SqliteException e) when (e.SqliteErrorCode is SqliteCode.Corrupt or SqliteCode.NotADatabase or SqliteCode.Error)
        {
            throw Damaged(path, e.Message);
        }
    }

    // Without a log beside it the file is all there is, and SQLite need not make one to read it.
    private static SqliteConnection ConnectToLook(string path) => File.Exists(path + "-wal")
        ? Connect(path, SqliteOpenMode.ReadOnly)
        : Connect($"file:{Uri.EscapeDataString(path)}?immutable=1", SqliteOpenMode.ReadOnly);

    private static void InspectHeader(string path)
    {
        // A named pipe would be waited for until somebody writes to it.
        if (FileOwner.IsNoRegularFile(path))
            throw Foreign(path, "it is no regular file");
        Span<byte> header = stackalloc byte[HeaderSize];
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var read = file.ReadAtLeast(header, HeaderSize, throwOnEndOfStream: false);
        if (read == 0)
            throw Foreign(path, "it is empty");
        if (read < HeaderSize || !header.StartsWith("SQLite format 3\0"u8))
            throw Foreign(path, "it is no SQLite database");
        if (BinaryPrimitives.ReadInt32BigEndian(header[ApplicationIdOffset..]) != ApplicationId)
            throw Foreign(path, "it is the database of another program");
    }

    private static void Prepare(SqliteConnection connection)
    {
        // FULL and not NORMAL: what is acknowledged is forgotten by its agent, so it must outlive a power failure as well.
        // One thread writes, and what queues up while it waits for the disk goes into the next commit together.
        Execute(connection, "PRAGMA journal_mode = WAL");
        Execute(connection, "PRAGMA synchronous = FULL");
        Execute(connection, "PRAGMA journal_size_limit = 67108864");
    }

    private static void Migrate(SqliteConnection connection, StoreSchema schema)
    {
        using var transaction = connection.BeginTransaction();
        var version = Convert.ToInt32(Scalar(connection, "SELECT schema_version FROM meta"), null);
        if (version == schema.Version)
            return;
        foreach (var script in schema.Scripts.Skip(version))
            Execute(connection, script);
        Execute(connection, $"UPDATE meta SET schema_version = {schema.Version}");
        transaction.Commit();
    }

    private static StoreException Foreign(string path, string why) => new(
        $"{path} is no store of loadharness: {why}; it was left as it is: move it away and a new store is made, or use another folder");

    private static StoreException Damaged(string path, string problem) => new(
        $"the store {path} is damaged ({problem}); it was left as it is: put back a copy of it, or move it away together with "
        + $"{Path.GetFileName(path)}-wal and a new, empty one is made");

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static object? Scalar(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }
}
