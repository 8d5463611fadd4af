#include "nngpcheck/inputs/read_inputs.hpp"
#include "tests/input_error.hpp"

namespace nngpcheck::inputs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class InputFiles : public Scratch {
 protected:
  Inputs read(const std::string& contents) const { return read_inputs(write("a.csv", contents)); }
  std::string error(const std::string& contents) const {
    return error_of([&] { read(contents); });
  }
};

TEST_F(InputFiles, ReadsVectors) {
  const auto inputs = read("x0,x1\n1,2.5\n-3e-2,+4\n0, 7 \n");
  EXPECT_EQ(inputs.data, (Eigen::MatrixXd{{1, -0.03, 0}, {2.5, 4, 7}}));
  EXPECT_THAT(inputs.labels, ElementsAre("0", "1", "2"));
  EXPECT_THAT(inputs.lengths, IsEmpty());
}

TEST_F(InputFiles, ReadsSequences) {
  const auto inputs = read("sequence,position,token,x0\n0,0,the,1\n0,1,\"a,b\",2\n1,0,the,3\n");
  EXPECT_EQ(inputs.data, (Eigen::MatrixXd{{1, 2, 3}}));
  EXPECT_THAT(inputs.labels, ElementsAre("0:0 the", "0:1 a,b", "1:0 the"));
  EXPECT_THAT(inputs.lengths, ElementsAre(2, 1));
  EXPECT_NO_THROW(validate(inputs));
}

TEST_F(InputFiles, RejectsWhatIsNoFile) {
  EXPECT_THAT(error_of([&] { read_inputs(folder_ / "none.csv"); }), HasSubstr("none.csv: no such file"));
  EXPECT_THAT(error_of([&] { read_inputs(folder_); }), HasSubstr(folder_.string() + ": not a file"));
  EXPECT_THAT(error_of([] { read_inputs("/dev/zero"); }), HasSubstr("/dev/zero: not a file"));
}

TEST_F(InputFiles, RejectsMoreThanMemoryHolds) {
  const auto file = write("large.npy", "");
  std::filesystem::resize_file(file, (1 << 30) + 1);  // a hole, which takes no space
  EXPECT_THAT(error_of([&] { read_inputs(file); }), HasSubstr("large.npy: holds 1073741825 bytes; at most"));
  // A long header and many short rows would make a huge matrix.
  std::string table = "x0";
  for (int i = 1; i < 100'000; ++i) table += ",x" + std::to_string(i);
  table += '\n';
  for (int i = 0; i < 500'000; ++i) table += "1\n";
  EXPECT_THAT(error(table), HasSubstr("a.csv:2: 1 fields where the header has 100000"));
}

TEST_F(InputFiles, RejectsMalformedTables) {
  EXPECT_THAT(error(""), HasSubstr("a.csv: empty"));
  EXPECT_THAT(error("\n\n"), HasSubstr("a.csv: empty"));
  EXPECT_THAT(error("x0,x1\n"), HasSubstr("a.csv:1: no rows"));
  EXPECT_THAT(error("sequence,position,token\n0,0,a\n"), HasSubstr("no column of inputs"));
  EXPECT_THAT(error("sequence,token,position,x0\n0,0,a,1\n"), HasSubstr("is \"token\", not \"position\""));
  EXPECT_THAT(error("x0,x1\n1,2\n3\n"), HasSubstr("a.csv:3: 1 fields where the header has 2"));
  EXPECT_THAT(error("x0,x1\n1,2\n3,4,5\n"), HasSubstr("a.csv:3: 3 fields"));
}

TEST_F(InputFiles, RejectsWhatIsNoFiniteNumber) {
  EXPECT_THAT(error("x0,x1\n1,2\n1,abc\n"), HasSubstr("a.csv:3: column x1: \"abc\" is not a number"));
  EXPECT_THAT(error("x0,x1\n1,\n"), HasSubstr("column x1: \"\" is not a number"));
  EXPECT_THAT(error("x0,x1\n1,2\n1,2 3\n"), HasSubstr("\"2 3\" is not a number"));
  EXPECT_THAT(error("x0\n1\n+-1\n"), HasSubstr("\"+-1\" is not a number"));
  EXPECT_THAT(error("x0\n1\n1e999\n"), HasSubstr("\"1e999\" is not a number that a double can hold"));
  EXPECT_THAT(error("x0\nnan\n"), HasSubstr("\"nan\" is not finite; fill in what is missing"));
  EXPECT_THAT(error("x0\n-inf\n"), HasSubstr("\"-inf\" is not finite"));
}

TEST_F(InputFiles, RejectsSequencesOutOfOrder) {
  const std::string header = "sequence,position,token,x0\n";
  EXPECT_THAT(error(header + "0,1,a,1\n"), HasSubstr("a.csv:2: token 0:1 where only 0:0 may stand"));
  EXPECT_THAT(error(header + "1,0,a,1\n"), HasSubstr("token 1:0 where only 0:0 may stand"));
  EXPECT_THAT(error(header + "0,0,a,1\n0,2,b,1\n"), HasSubstr("a.csv:3: token 0:2 where only 0:1 or 1:0"));
  EXPECT_THAT(error(header + "0,0,a,1\n0,0,b,1\n"), HasSubstr("token 0:0 where only"));
  EXPECT_THAT(error(header + "0,0,a,1\n1,0,b,1\n0,1,c,1\n"),
              HasSubstr("a.csv:4: token 0:1 where only 1:1 or 2:0"));
  EXPECT_THAT(error(header + "0,zero,a,1\n"), HasSubstr("position \"zero\": both must be integers"));
  EXPECT_THAT(error(header + "99999999999999999999,0,a,1\n"), HasSubstr("both must be integers"));
}

TEST_F(InputFiles, TakesTokensInUtf8Only) {
  const std::string header = "sequence,position,token,x0\n";
  for (const std::string token : {"für", "€", "\U0001F98A", ""})
    EXPECT_EQ(error(header + "0,0," + token + ",1\n"), "");
  for (const std::string token :
       {"f\xfcr", "\x80", "\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    EXPECT_THAT(error(header + "0,0," + token + ",1\n"), HasSubstr("a.csv:2: not UTF-8"));
  }
}

TEST_F(InputFiles, RejectsNanInNpy) {
  const std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }";
  const float numbers[] = {1, std::numeric_limits<float>::quiet_NaN()};
  std::string contents = std::string("\x93NUMPY\x01\0", 8) + static_cast<char>(header.size()) + '\0' + header;
  contents.append(reinterpret_cast<const char*>(numbers), sizeof numbers);
  EXPECT_THAT(error_of([&] { read_inputs(write("a.npy", contents)); }),
              HasSubstr("a.npy: row 1 (from 0) holds a number that is not finite"));
}

}  // namespace
}  // namespace nngpcheck::inputs
