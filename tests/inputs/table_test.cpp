#include "nngpcheck/inputs/table.hpp"

#include "tests/input_error.hpp"

namespace nngpcheck::inputs {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Table parse(const std::string& text, const TableFormat& format = {}) {
  return parse_table({"a.csv", text}, format);
}

/// Rows as they stand in the file.
Eigen::MatrixXd numbers(const std::string& text, const TableFormat& format = {}) {
  const files::Array array = parse(text, format).numbers;
  return array.samples(0, array.count()).transpose();
}

std::string error(const std::string& text, const TableFormat& format = {}) {
  return error_of([&] { parse(text, format); });
}

const Eigen::MatrixXd iris{{5.1, 3.5, 1.4, 0.2}, {7, 3.2, 4.7, 1.4}};

TEST(Table, TakesNamesOfOnesOwn) {
  EXPECT_EQ(numbers("sepal_length,sepal width,c,d\n5.1,3.5,1.4,.2\n7.0,3.2,4.7,1.4\n"), iris);
  EXPECT_THAT(parse("a,b\n1,2\n").said, HasSubstr("1 rows, a header; inputs: a, b"));
}

TEST(Table, NeedsNoHeader) {
  EXPECT_EQ(numbers("5.1,3.5,1.4,0.2\n7.0,3.2,4.7,1.4\n"), iris);
  EXPECT_THAT(parse("5.1,3.5\n7.0,3.2\n").said, HasSubstr("2 rows, no header; inputs: column 0, column 1"));
  EXPECT_EQ(numbers("5.1,3.5,1.4,0.2\n"), iris.row(0));
  EXPECT_EQ(numbers("1\n2\n"), (Eigen::MatrixXd{{1}, {2}}));
}

// The files as their sources write them.
TEST(Table, ReadsWellKnownFiles) {
  // UCI's iris.data; and Kaggle's Iris.csv.
  const Table uci = parse("5.1,3.5,1.4,0.2,Iris-setosa\n7.0,3.2,4.7,1.4,Iris-versicolor\n\n");
  EXPECT_EQ(uci.numbers.samples(0, 2).transpose(), iris);
  EXPECT_THAT(uci.texts, ElementsAre("Iris-setosa", "Iris-versicolor"));
  const Table kaggle =
      parse("Id,SepalLengthCm,b,c,d,Species\n1,5.1,3.5,1.4,0.2,setosa\n2,7.0,3.2,4.7,1.4,setosa\n");
  EXPECT_EQ(kaggle.numbers.samples(0, 2).transpose(), iris);
  EXPECT_THAT(kaggle.said, HasSubstr("inputs: SepalLengthCm, b, c, d; labels: Species; left out: Id"));
  // UCI's winequality-red.csv.
  EXPECT_EQ(numbers("\"fixed acidity\";\"b\";\"c\";\"quality\"\n5.1;3.5;1.4;0.2\n7.0;3.2;4.7;1.4\n"), iris);
  // pandas: with its index, without names, with both, with names of rows, and saved twice.
  EXPECT_EQ(numbers(",x0,x1,x2,x3\n0,5.1,3.5,1.4,0.2\n1,7.0,3.2,4.7,1.4\n"), iris);
  EXPECT_EQ(numbers(",0,1,2,3\n0,5.1,3.5,1.4,0.2\n1,7.0,3.2,4.7,1.4\n"), iris);
  EXPECT_EQ(numbers(",x0,x1,x2,x3\n17,5.1,3.5,1.4,0.2\n4,7.0,3.2,4.7,1.4\n"), iris);
  EXPECT_EQ(numbers("Unnamed: 0,a,b,c,d\n0,5.1,3.5,1.4,0.2\n1,7.0,3.2,4.7,1.4\n"), iris);
  const Table named = parse(",a,b\nfirst,1,2\nsecond,3,4\n");
  EXPECT_THAT(named.texts, ElementsAre("first", "second"));
  EXPECT_EQ(numbers("a,b\nTrue,1.5\nFalse,2\n"), (Eigen::MatrixXd{{1, 1.5}, {0, 2}}));
  // numpy.savetxt, with its header and without.
  EXPECT_EQ(
      numbers("# a b c d\n5.099999999999999645e+00 3.5e+00 1.4e+00 2.000000000000000111e-01\n7e+00 3.2e+00 "
              "4.7e+00 1.4e+00\n"),
      iris);
  // R's write.table and write.csv.
  EXPECT_EQ(numbers("\"a\" \"b\" \"c\" \"d\"\n\"1\" 5.1 3.5 1.4 0.2\n\"2\" 7 3.2 4.7 1.4\n"), iris);
  EXPECT_EQ(numbers("\"\",\"a\",\"b\",\"c\",\"d\"\n\"1\",5.1,3.5,1.4,0.2\n\"2\",7,3.2,4.7,1.4\n"), iris);
  // Excel in Europe, with Windows' line ends and a byte-order mark; and an old Macintosh's.
  EXPECT_EQ(numbers("\xEF\xBB\xBF"
                    "a;b;c;d\r\n5,1;3,5;1,4;0,2\r\n7;3,2;4,7;1,4\r\n"),
            iris);
  EXPECT_EQ(numbers("a\tb\tc\td\r5.1\t3.5\t1.4\t0.2\r7\t3.2\t4.7\t1.4\r"), iris);
  // A separator at the end of every line, of the header too or not.
  EXPECT_EQ(numbers("a,b,c,d,\n5.1,3.5,1.4,0.2,\n7,3.2,4.7,1.4,\n"), iris);
  EXPECT_EQ(numbers("a,b,c,d\n5.1,3.5,1.4,0.2,\n7,3.2,4.7,1.4,\n"), iris);
  EXPECT_EQ(numbers("5.1, 3.5, 1.4, 0.2\n7, 3.2, 4.7, 1.4\n"), iris);
  EXPECT_EQ(numbers("  5.1  3.5  1.4 0.2 \n7.0  3.2\t4.7 1.4\n"), iris);
}

TEST(Table, KeysSayWhatIsWhat) {
  const std::string text = "id,a,b,kind\n7,5.1,3.5,2\n9,7,3.2,1\n";
  EXPECT_EQ(numbers(text, {.columns = {"b", "a"}}), (Eigen::MatrixXd{{3.5, 5.1}, {3.2, 7}}));
  EXPECT_EQ(numbers(text, {.columns = {1, 2}}), (Eigen::MatrixXd{{5.1, 3.5}, {7, 3.2}}));
  const Table table = parse(text, {.labels = {"kind"}, .skip_columns = {"id"}});
  EXPECT_EQ(table.numbers.samples(0, 2).transpose(), (Eigen::MatrixXd{{5.1, 3.5}, {7, 3.2}}));
  EXPECT_THAT(table.texts, ElementsAre("2", "1"));
  EXPECT_THAT(table.said, AllOf(HasSubstr("inputs: a, b; labels: kind; left out: id")));
  EXPECT_EQ(numbers("written today\nx,y\n1,2\n", {.skip_lines = 1}), (Eigen::MatrixXd{{1, 2}}));
  EXPECT_EQ(numbers("2019,2020\n1,2\n", {.header = true}), (Eigen::MatrixXd{{1, 2}}));
  EXPECT_EQ(numbers("0,1\n1,0\n", {.header = false}), (Eigen::MatrixXd{{0, 1}, {1, 0}}));
  EXPECT_EQ(numbers("1:2\n3:4\n", {.separator = ':'}), (Eigen::MatrixXd{{1, 2}, {3, 4}}));
  EXPECT_EQ(numbers("a;b\n1,234;5\n", {.decimal = ','}), (Eigen::MatrixXd{{1.234, 5}}));
  EXPECT_THAT(error(text, {.columns = {"bb"}}),
              HasSubstr("columns names column \"bb\", but there is none; did you mean \"b\"?"));
  EXPECT_THAT(error(text, {.labels = {4}}), HasSubstr("labels names column 4, but they are 0 to 3"));
  EXPECT_THAT(error("1,2\n", {.skip_columns = {"a"}}),
              HasSubstr("there is no header; give its number, from 0"));
  EXPECT_THAT(error("a,a\n1,2\n", {.columns = {"a"}}), HasSubstr("there are several"));
}

TEST(Table, GuessesNothingThatIsNotSure) {
  EXPECT_THAT(error("0,1\n1,0\n"), HasSubstr("a.csv:1: 0, 1, … may be a header"));
  EXPECT_THAT(error("a;b\n1,234;5\n"),
              HasSubstr("column a: \"1,234\" is not a number; if the comma separates thousands"));
  EXPECT_THAT(error("a\n\"1,234.5\"\n"), HasSubstr("separates thousands"));
  EXPECT_EQ(numbers("a;b\n1,234;5\n1,5;6\n"), (Eigen::MatrixXd{{1.234, 5}, {1.5, 6}}));
  EXPECT_NE(error("a;b\n1,5;2.5\n"), "");
  // An "id" that does not count the rows may be anything.
  EXPECT_EQ(numbers("id,a\n7,1\n3,2\n").cols(), 2);
}

TEST(Table, NamesWhatIsMissing) {
  for (const std::string missing : {"", "NA", "?", "null", "nan"}) {
    EXPECT_THAT(error("a,b\n1,2\n" + missing + ",4\n"),
                AllOf(HasSubstr("a.csv:3: column a: \"" + missing + "\" is not "),
                      HasSubstr("fill in what is missing"), HasSubstr("skip = [\"a\"]")));
  }
  EXPECT_THAT(error("1,2\n3,x\n"),
              AllOf(HasSubstr("a.csv:2: column column 1: \"x\""), HasSubstr("skip = [1]")));
  EXPECT_THAT(error("name\nfoo\nbar\n"),
              HasSubstr("no column of numbers, which inputs are; the first row begins with \"name\""));
  EXPECT_THAT(error(""), HasSubstr("a.csv: empty"));
  EXPECT_THAT(error("# only\n\n"), HasSubstr("a.csv: empty"));
  EXPECT_THAT(error("a,b\n"), HasSubstr("a.csv:1: no rows"));
  EXPECT_THAT(error("a,b\n1,2\n", {.skip_lines = 9}), HasSubstr("empty"));
  EXPECT_THAT(error("a,b,c\n1,,2\n3,,4\n"), HasSubstr("a.csv:2: column b: \"\" is not a number; fill in"));
}

TEST(Table, ReadsTokens) {
  const Table table = parse("sequence;position;token;size\n0;0;the;1,5\n0;1;dog;2\n1;0;the;3\n");
  EXPECT_EQ(table.numbers.samples(0, 3), (Eigen::MatrixXd{{1.5, 2, 3}}));
  EXPECT_THAT(table.lengths, ElementsAre(2, 1));
  EXPECT_THAT(table.texts, ElementsAre("0:0 the", "0:1 dog", "1:0 the"));
  EXPECT_THAT(parse("x0\n1\n").lengths, IsEmpty());
}

}  // namespace
}  // namespace nngpcheck::inputs
