#include "config/npy.hpp"

#include <cstdint>
#include <cstring>
#include <vector>

#include "scratch.hpp"

namespace nngpcheck::config {
namespace {

using testing::HasSubstr;

template <class T>
std::string bytes(const std::vector<T>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(T)};
}

/// The file that numpy.save writes for this header's content.
std::string npy(const std::string& header, const std::string& numbers, char version = 1) {
  const auto length = static_cast<std::uint32_t>(header.size());
  const std::string prefix = std::string("\x93NUMPY") + version + '\0';
  return prefix + std::string(reinterpret_cast<const char*>(&length), version == 1 ? 2 : 4) + header +
         numbers;
}

std::string header(const std::string& type, const std::string& order, const std::string& shape) {
  return "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }    \n";
}

class Npy : public Scratch {
 protected:
  Eigen::MatrixXd read(const std::string& contents) const { return read_npy(write("a.npy", contents)); }
  std::string error(const std::string& contents) const {
    return error_of([&] { read(contents); });
  }
  const std::string six_doubles = bytes<double>({1, 2, 3, 4, 5, 6});
};

TEST_F(Npy, ReadsFloat64RowByRow) {
  const Eigen::MatrixXd expected{{1, 2, 3}, {4, 5, 6}};
  EXPECT_EQ(read(npy(header("<f8", "False", "(2, 3)"), six_doubles)), expected);
  EXPECT_EQ(read(npy(header("<f8", "False", "(2, 3)"), six_doubles, 2)), expected);
  EXPECT_EQ(read(npy(header("<f8", "False", "(2, 3)"), six_doubles, 3)), expected);
}

TEST_F(Npy, ReadsFloat32) {
  const Eigen::MatrixXd expected{{1, -0.5}};
  EXPECT_EQ(read(npy(header("<f4", "False", "(1, 2)"), bytes<float>({1, -0.5f}))), expected);
}

TEST_F(Npy, RejectsOtherArrays) {
  EXPECT_THAT(error(npy(header("<i8", "False", "(2, 3)"), six_doubles)),
              HasSubstr("a.npy: an array of type \"<i8\""));
  EXPECT_THAT(error(npy(header(">f8", "False", "(2, 3)"), six_doubles)), HasSubstr("little-endian"));
  EXPECT_THAT(error(npy(header("<f8", "True", "(2, 3)"), six_doubles)), HasSubstr("Fortran order"));
  EXPECT_THAT(error(npy(header("<f8", "False", "(6,)"), six_doubles)),
              HasSubstr("shape (6,); save a two-dimensional"));
  EXPECT_THAT(error(npy(header("<f8", "False", "(1, 2, 3)"), six_doubles)), HasSubstr("two-dimensional"));
  EXPECT_THAT(error(npy(header("<f8", "False", "(0, 3)"), "")), HasSubstr("empty array"));
}

TEST_F(Npy, RejectsDamagedFiles) {
  EXPECT_THAT(error("x0,x1\n1,2\n"), HasSubstr("not an npy file"));
  EXPECT_THAT(error("\x93NUMPY\x01"), HasSubstr("truncated npy header"));
  EXPECT_THAT(error(npy("nonsense", six_doubles)), HasSubstr("damaged npy header"));
  EXPECT_THAT(error(npy(header("<f8", "False", "(2, 3)"), six_doubles, 9)), HasSubstr("npy version 9"));
  const std::string whole = npy(header("<f8", "False", "(2, 3)"), six_doubles);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_NE(error(whole.substr(0, length)), "") << length;
  }
  EXPECT_THAT(error(whole + "more"), HasSubstr("holds 52 bytes"));
}

TEST_F(Npy, RejectsAbsurdClaimsWithoutAllocating) {
  EXPECT_THAT(error(npy(header("<f8", "False", "(100000, 100000)"), six_doubles)),
              HasSubstr("claims 100000×100000"));
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
}  // namespace nngpcheck::config
