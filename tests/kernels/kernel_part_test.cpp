// Kernels in parts: files of parts, and what they make.
#include "nngpcheck/kernels/kernel_part.hpp"

#include <sstream>

#include "tests/input_error.hpp"
#include "tests/scratch.hpp"

namespace nngpcheck::kernels {
namespace {

using Eigen::MatrixXd;
using testing::AllOf;
using testing::HasSubstr;

/// A tile of a kernel of 5 outputs with value 10 i + j above the diagonal.
KernelTile tile(Eigen::Index first_row, Eigen::Index first_column, Eigen::Index rows, Eigen::Index columns) {
  KernelTile result{first_row, first_column, {MatrixXd(rows, columns)}};
  for (Eigen::Index i = 0; i < rows; ++i) {
    for (Eigen::Index j = 0; j < columns; ++j) {
      const auto [a, b] = std::minmax({first_row + i, first_column + j});
      result.entries.value(i, j) = static_cast<double>(10 * a + b);
    }
  }
  result.entries.error_bound = 1e-3 * result.entries.value;
  result.entries.standard_error = 0 * result.entries.value;
  result.entries.method = first_row == first_column ? "closed form" : "quadrature";
  result.rank = first_row == first_column ? 2 : 3;
  return result;
}

KernelPart part(std::int64_t index) {
  KernelPart result{{{"architecture", {{"depth", 3}}}}, 17, {index, 3}, {"a", "b", "c", "d", "e"}, {}, {}};
  if (index == 0) result.tiles = {tile(0, 0, 3, 3)};
  if (index == 1) result.tiles = {tile(3, 3, 2, 2), tile(0, 3, 3, 2)};
  return result;  // the third one is empty
}

KernelPart again(const KernelPart& part) {
  const std::string bytes = serialize(part);
  std::istringstream stream(bytes);
  return read_part(stream, bytes.size(), "part");
}

Kernel merged(const std::vector<KernelPart>& parts) {
  PartMerger merger;
  for (std::size_t k = 0; k < parts.size(); ++k) merger.add(again(parts[k]), "file" + std::to_string(k));
  return merger.take();
}

std::string refusal(const std::vector<KernelPart>& parts) {
  return error_of([&] { merged(parts); });
}

TEST(KernelParts, MakeTheKernelInAnyOrder) {
  const Kernel whole = merged({part(2), part(1), part(0)});
  const MatrixXd expected = tile(0, 0, 5, 5).entries.value;
  EXPECT_EQ(whole.value, expected);
  EXPECT_EQ(whole.error_bound, 1e-3 * expected);
  EXPECT_EQ(whole.standard_error, MatrixXd::Zero(5, 5));
  EXPECT_EQ(whole.method, "quadrature");
  EXPECT_EQ(whole.repeats, 0);
  EXPECT_EQ(whole.labels, part(0).labels);
}

TEST(KernelParts, KeepWhatIsSampled) {
  KernelPart one = part(0);
  one.part = {0, 1};
  one.columns = {"x", "y"};
  one.tiles = {tile(0, 0, 5, 2)};
  one.tiles[0].entries.standard_error(4, 1) = 0.25;
  one.tiles[0].entries.repeats = 16;
  const Kernel whole = merged({one});
  EXPECT_EQ(whole.value, one.tiles[0].entries.value);
  EXPECT_EQ(whole.standard_error, one.tiles[0].entries.standard_error);
  EXPECT_EQ(whole.repeats, 16);
  EXPECT_EQ(whole.columns, one.columns);
}

TEST(KernelParts, AreRefusedUnlessTheyAreAllOfOneKernel) {
  EXPECT_THAT(refusal({part(0), part(2)}),
              AllOf(HasSubstr("1 of 3 blocks are missing: 2/3"), HasSubstr("--block 2/3")));
  EXPECT_THAT(refusal({part(1)}), HasSubstr("2 of 3 blocks are missing: 1/3, 3/3"));
  EXPECT_THAT(refusal({part(0), part(1), part(0)}), HasSubstr("file2: block 1/3, which file0 is, too"));
  KernelPart other = part(1);
  other.part.count = 4;
  EXPECT_THAT(refusal({part(0), other}), HasSubstr("file1: block 2/4, but file0 is block 1/3"));
  other = part(1);
  other.fingerprint = 18;
  EXPECT_THAT(refusal({part(0), other}), HasSubstr("differ in the numbers of their inputs"));
  other.experiment["architecture"]["depth"] = 4;
  EXPECT_THAT(refusal({part(0), other}), HasSubstr("differ in /architecture/depth"));
  other = part(1);
  other.tiles.pop_back();
  EXPECT_THAT(refusal({part(0), other, part(2)}), HasSubstr("do not make a kernel"));
}

// Every byte counts, and what the head says is checked before memory is taken.
TEST(KernelParts, AreReadWholeOrNotAtAll) {
  const std::string bytes = serialize(part(1));
  const auto error = [](const std::string& given) {
    std::istringstream stream(given);
    return error_of([&] { read_part(stream, given.size(), "P"); });
  };
  EXPECT_EQ(error(bytes), "");
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_NE(error(bytes.substr(0, size)), "") << size;
  EXPECT_NE(error(bytes + " "), "");
  for (std::size_t k = 0; k < bytes.size(); ++k) {
    std::string wrong = bytes;
    wrong[k] = static_cast<char>(wrong[k] ^ 1);
    EXPECT_THAT(error(wrong), HasSubstr(k < 24 ? "P: no part of a kernel" : "P: damaged")) << k;
  }
}

using KernelPartFiles = Scratch;

TEST_F(KernelPartFiles, AreKnown) {
  EXPECT_TRUE(is_part(write("a", serialize(part(0)))));
  EXPECT_EQ(read_part(folder_ / "a").tiles.size(), 1u);
  EXPECT_FALSE(is_part(write("b", "nngpcheck")));
  EXPECT_FALSE(is_part(folder_));
  EXPECT_THAT(error_of([&] { read_part(folder_ / "none"); }), HasSubstr("none: no such file"));
  EXPECT_THAT(error_of([&] { read_part(folder_); }), HasSubstr(": not a file"));
}

}  // namespace
}  // namespace nngpcheck::kernels
