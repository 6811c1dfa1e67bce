using CsCheck;
using Grpc.Core;
using LoadHarness.Coordinator.Api;

namespace LoadHarness.Coordinator.Tests.Api;

public sealed class PageTests
{
    [Test]
    public void Of_AnyListAndSize_PagesTogetherAreTheList() =>
        Gen.Select(Gen.Int[0, 300], Gen.Int[0, 40]).Sample((count, size) =>
        {
            string[] all = [.. Enumerable.Range(0, count).Select(i => $"item {i}")];
            var collected = new List<string>();
            var token = "";
            do
            {
                var page = Page.Of(all, i => i, size, token);
                collected.AddRange(page.Items);
                token = page.NextToken;
                Assert.That(page.Items, Has.Count.LessThanOrEqualTo(size == 0 ? Page.DefaultSize : size));
            }
            while (token.Length > 0);

            Assert.That(collected, Is.EqualTo(all));
        });

    [Test]
    public void Of_MoreThanTheLargest_GivesTheLargest() => Assert.That(
        Page.Of([.. Enumerable.Range(0, 2000)], i => $"{i}", 5000, "").Items, Has.Count.EqualTo(Page.LargestSize));

    [TestCase(-1, "", "page_size")]
    [TestCase(10, "no such item", "page_token")]
    public void Of_WrongRequest_NamesTheField(int size, string token, string field) => Assert.That(
        () => Page.Of(["a", "b"], i => i, size, token),
        Throws.TypeOf<RpcException>().With.Property(nameof(RpcException.StatusCode)).EqualTo(StatusCode.InvalidArgument)
            .And.Message.Contains(field));
}
