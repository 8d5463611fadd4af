#include "nngpcheck/files/npy.hpp"

#include <cstdint>
#include <limits>
#include <vector>

#include "tests/files/array_bytes.hpp"
#include "tests/input_error.hpp"

namespace nngpcheck::files {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class Npy : public Scratch {
 protected:
  Eigen::MatrixXd read(const std::string& contents) const { return read_npy(write("a.npy", contents)); }
  std::string error(const std::string& contents) const {
    return error_of([&] { read(contents); });
  }
  /// The row of numbers of some type.
  template <class T>
  Eigen::MatrixXd row(const std::string& type, const std::vector<T>& numbers, bool reversed = false) const {
    return read(
        npy(header(type, "False", "(1, " + std::to_string(numbers.size()) + ")"), bytes(numbers, reversed)));
  }
  const std::string six_doubles = bytes<double>({1, 2, 3, 4, 5, 6});
};

TEST_F(Npy, ReadsFloat64RowByRow) {
  const Eigen::MatrixXd expected{{1, 2, 3}, {4, 5, 6}};
  EXPECT_EQ(read(npy(header("<f8", "False", "(2, 3)"), six_doubles)), expected);
  EXPECT_EQ(read(npy(header("<f8", "False", "(2, 3)"), six_doubles, 2)), expected);
  EXPECT_EQ(read(npy(header("<f8", "False", "(2, 3)"), six_doubles, 3)), expected);
}

TEST_F(Npy, ReadsFortranOrder) {
  EXPECT_EQ(read(npy(header("<f8", "True", "(2, 3)"), six_doubles)), (Eigen::MatrixXd{{1, 3, 5}, {2, 4, 6}}));
  // Sample s, row i, column j stands at s + 2 (i + 1 j): last axis fastest in each sample.
  const Array array = parse_npy("a", npy(header("<f8", "True", "(2, 1, 3)"), six_doubles));
  EXPECT_EQ(array.samples(0, 2), (Eigen::MatrixXd{{1, 2}, {3, 4}, {5, 6}}));
  EXPECT_EQ(array.samples(1, 1), (Eigen::MatrixXd{{2}, {4}, {6}}));
  EXPECT_THAT(array.sample_shape(), ElementsAre(1, 3));
}

TEST_F(Npy, ReadsEveryTypeOfNumber) {
  EXPECT_EQ(row<float>("<f4", {1, -0.5f}), (Eigen::MatrixXd{{1, -0.5}}));
  // 1, -2, 2⁻²⁴ (the least positive), 65504 (the largest).
  EXPECT_EQ(row<std::uint16_t>("<f2", {0x3C00, 0xC000, 0x0001, 0x7BFF}),
            (Eigen::MatrixXd{{1, -2, 0x1p-24, 65504}}));
  EXPECT_EQ(row<char>("|b1", {0, 1, 2}), (Eigen::MatrixXd{{0, 1, 1}}));
  EXPECT_EQ(row<std::uint8_t>("|u1", {0, 200, 255}), (Eigen::MatrixXd{{0, 200, 255}}));
  EXPECT_EQ(row<std::int8_t>("|i1", {-128, 127}), (Eigen::MatrixXd{{-128, 127}}));
  EXPECT_EQ(row<std::int16_t>("<i2", {-300, 300}), (Eigen::MatrixXd{{-300, 300}}));
  EXPECT_EQ(row<std::uint16_t>("<u2", {65535}), (Eigen::MatrixXd{{65535}}));
  EXPECT_EQ(row<std::int32_t>("<i4", {-70000}), (Eigen::MatrixXd{{-70000}}));
  EXPECT_EQ(row<std::uint32_t>("<u4", {4294967295}), (Eigen::MatrixXd{{4294967295.0}}));
  EXPECT_EQ(row<std::int64_t>("<i8", {-5, std::int64_t{1} << 60}), (Eigen::MatrixXd{{-5, 0x1p60}}));
  EXPECT_EQ(row<std::uint64_t>("<u8", {~std::uint64_t{0}}), (Eigen::MatrixXd{{0x1p64}}));
  EXPECT_EQ(row<double>(">f8", {1.5, -2}, true), (Eigen::MatrixXd{{1.5, -2}}));
  EXPECT_EQ(row<std::uint16_t>(">f2", {0x3C00}, true), (Eigen::MatrixXd{{1}}));
  EXPECT_EQ(row<std::int32_t>(">i4", {-70000, 3}, true), (Eigen::MatrixXd{{-70000, 3}}));
  EXPECT_NE(row<std::int32_t>("<i4", {3}, true), (Eigen::MatrixXd{{3}}));
}

TEST_F(Npy, KnowsTheRoundingOfItsNumbers) {
  const auto epsilon = [](const std::string& type, std::size_t size) {
    return parse_npy("a", npy(header(type, "False", "(1,)"), std::string(size, '\0'))).type().epsilon();
  };
  EXPECT_EQ(epsilon("<f2", 2), 0x1p-10);
  EXPECT_EQ(epsilon(">f4", 4), std::numeric_limits<float>::epsilon());
  EXPECT_EQ(epsilon("<f8", 8), std::numeric_limits<double>::epsilon());
}

TEST_F(Npy, TakesMatricesWithFurtherAxesOfLengthOne) {
  EXPECT_EQ(read(npy(header("<f8", "False", "(2, 3, 1, 1)"), six_doubles)),
            (Eigen::MatrixXd{{1, 2, 3}, {4, 5, 6}}));
  EXPECT_THAT(error(npy(header("<f8", "False", "(6,)"), six_doubles)),
              HasSubstr("shape (6,); save a two-dimensional"));
  EXPECT_THAT(error(npy(header("<f8", "False", "(1, 2, 3)"), six_doubles)), HasSubstr("two-dimensional"));
}

TEST_F(Npy, RejectsWhatIsNoNumber) {
  const auto refused = [&](const std::string& type, const std::string& remedy) {
    EXPECT_THAT(error(npy(header(type, "False", "(2, 3)"), six_doubles)),
                AllOf(HasSubstr("a.npy: an array of type \"" + type + "\""), HasSubstr(remedy)));
  };
  refused("<c16", "its real and imaginary parts");
  refused("|O", "save it.astype(float)");
  refused("<U10", "texts");
  refused("|S3", "texts");
  refused("<M8[ns]", "dates");
  refused("<V2", "save it.astype(numpy.float32)");
  refused("<f16", "save it.astype(float)");
  refused("<f1", "save it.astype(float)");
  refused("<i3", "save it.astype(float)");
  refused("|b2", "save it.astype(float)");
  refused("x", "save it.astype(float)");
  EXPECT_THAT(
      error(npy("{'descr': [('x', '<f8'), ('y', '<f8')], 'fortran_order': False, 'shape': (3,), }", "")),
      HasSubstr("structured_to_unstructured"));
  EXPECT_THAT(error(npy(header("<f8", "False", "(0, 3)"), "")), HasSubstr("empty array"));
  EXPECT_THAT(error(npy(header("<f8", "False", "()"), bytes<double>({1}))), HasSubstr("a single number"));
}

TEST_F(Npy, RejectsDamagedFiles) {
  EXPECT_THAT(error("x0,x1\n1,2\n"), HasSubstr("not an npy file"));
  EXPECT_THAT(error("\x93NUMPY\x01"), HasSubstr("truncated npy header"));
  EXPECT_THAT(error(npy("nonsense", six_doubles)), HasSubstr("damaged npy header"));
  EXPECT_THAT(error(npy(header("<f8", "False", "(2, 3)"), six_doubles, 9)), HasSubstr("npy version 9"));
  EXPECT_THAT(error(npy(header("<f8", "False", "(2, x)"), six_doubles)), HasSubstr("damaged npy header"));
  const std::string whole = npy(header("<f8", "False", "(2, 3)"), six_doubles);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_NE(error(whole.substr(0, length)), "") << length;
  }
  EXPECT_THAT(error(whole + "more"), HasSubstr("holds 52 bytes"));
}

TEST_F(Npy, RejectsAbsurdClaimsWithoutAllocating) {
  EXPECT_THAT(error(npy(header("<f8", "False", "(100000, 100000)"), six_doubles)),
              HasSubstr("claims (100000, 100000) numbers"));
  EXPECT_THAT(error(npy(header("<f8", "False", "(999999999999999999, 999999999999999999)"), six_doubles)),
              HasSubstr("its header claims"));
  EXPECT_THAT(error(npy(header("<f8", "False", "(2305843009213693952, 4)"), six_doubles)),
              HasSubstr("its header claims"));
  EXPECT_THAT(error(npy(header("<f8", "False", "(99999999999999999999, 8)"), six_doubles)),
              HasSubstr("shape"));
  EXPECT_THAT(error(std::string("\x93NUMPY\x02\0\xff\xff\xff\xff", 12)),
              HasSubstr("it claims 4294967295 bytes"));
}

}  // namespace
}  // namespace nngpcheck::files
