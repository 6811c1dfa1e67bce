namespace LoadHarness.Coordinator.Api;

/// <summary>A part of a list, in the list's own order.</summary>
/// <param name="Items">At most as many as were asked for.</param>
/// <param name="NextToken">Names the last item; empty on the last page.</param>
internal sealed record Page<T>(IReadOnlyList<T> Items, string NextToken);

/// <summary>Cuts lists into pages.</summary>
internal static class Page
{
    /// <summary>Items on a page when the client does not say.</summary>
    public const int DefaultSize = 50;

    /// <summary>Items on the largest page.</summary>
    public const int LargestSize = 1000;

    /// <summary>The page that follows a token.</summary>
    /// <param name="all">The whole list.</param>
    /// <param name="idOf">What names an item.</param>
    /// <param name="size">0: the default; more than the largest: the largest.</param>
    /// <param name="token">Empty: the first page.</param>
    public static Page<T> Of<T>(IReadOnlyList<T> all, Func<T, string> idOf, int size, string token)
    {
        if (size < 0)
            throw ControlErrors.BadRequest([("page_size", $"page_size {size}: 0 to {LargestSize} is allowed, 0 means {DefaultSize}")]);
        var from = 0;
        if (token.Length > 0)
        {
            while (from < all.Count && idOf(all[from]) != token)
                from++;
            if (from++ == all.Count)
            {
                throw ControlErrors.BadRequest(
                    [("page_token", "page_token: it names no item that is still there; begin with an empty one")]);
            }
        }

        var items = all.Skip(from).Take(size == 0 ? DefaultSize : Math.Min(size, LargestSize)).ToArray();
        return new(items, from + items.Length < all.Count ? idOf(items[^1]) : "");
    }
}
