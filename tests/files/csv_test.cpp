#include "nngpcheck/files/csv.hpp"

#include "tests/input_error.hpp"

namespace nngpcheck::files {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Csv, KeepsFieldsAndLineNumbers) {
  const auto records = parse_csv("a,b\n\n1,,\n", "t.csv");
  ASSERT_EQ(records.size(), 2u);
  EXPECT_THAT(records[0].fields, ElementsAre("a", "b"));
  EXPECT_THAT(records[1].fields, ElementsAre("1", "", ""));
  EXPECT_EQ(records[1].line, 3);
}

TEST(Csv, UnquotesAsRfc4180Says) {
  const auto records = parse_csv("\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\"\nnext,\"\",x", "t.csv");
  ASSERT_EQ(records.size(), 2u);
  EXPECT_THAT(records[0].fields, ElementsAre("a,b", "say \"hi\"", "two\nlines"));
  EXPECT_THAT(records[1].fields, ElementsAre("next", "", "x"));
  EXPECT_EQ(records[1].line, 3);
}

TEST(Csv, AcceptsWindowsLineEndsAndByteOrderMark) {
  const auto records = parse_csv(
      "\xEF\xBB\xBF"
      "a,\"b\"\r\n1,2\r\n",
      "t.csv");
  ASSERT_EQ(records.size(), 2u);
  EXPECT_THAT(records[0].fields, ElementsAre("a", "b"));
  EXPECT_THAT(records[1].fields, ElementsAre("1", "2"));
}

TEST(Csv, HasOtherSeparators) {
  const auto fields = [](const std::string& text, char separator) {
    return parse_csv(text, "t", separator).at(0).fields;
  };
  EXPECT_THAT(fields("1,5;\"a;b\";2", ';'), ElementsAre("1,5", "a;b", "2"));
  EXPECT_THAT(fields("a\t\tb", '\t'), ElementsAre("a", "", "b"));
  EXPECT_THAT(fields("  a \t b  \n", ' '), ElementsAre("a", "b"));
  EXPECT_THAT(fields("1, \"a,b\"", ','), ElementsAre("1", "a,b"));
}

TEST(Csv, SkipsComments) {
  const auto records = parse_csv("# a, \"b\r\n1,2\n#\n3,#4\n", "t.csv");
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].line, 2);
  EXPECT_THAT(records[1].fields, ElementsAre("3", "#4"));
}

TEST(Csv, GuessesTheSeparator) {
  EXPECT_EQ(guess_separator("a,b\n1,2\n"), ',');
  EXPECT_EQ(guess_separator("a;b\n1,5;2,5\n"), ';');
  EXPECT_EQ(guess_separator("a b\tc\n1,5\t2,5\n"), '\t');
  EXPECT_EQ(guess_separator("1 2\n3  4\n"), ' ');
  EXPECT_EQ(guess_separator("a|b\n1|2\n"), '|');
  EXPECT_EQ(guess_separator("x y\n1\n2\n"), ',');
  EXPECT_EQ(guess_separator("a,\"x;y\"\n1,2\n"), ',');
  EXPECT_EQ(guess_separator("a;b;c\n1;2\n"), ';');
  EXPECT_EQ(guess_separator("a b\n\"r1\" 1 2\n\"r2\" 3 4\n"), ' ');
  EXPECT_EQ(guess_separator(""), ',');
}

TEST(Csv, NothingHasNoRecords) { EXPECT_THAT(parse_csv("", "t.csv"), IsEmpty()); }

TEST(Csv, RejectsBadQuotes) {
  EXPECT_THAT(error_of([] { parse_csv("a\n\"b\nc", "t.csv"); }),
              HasSubstr("t.csv:2: a quote that is never closed"));
  EXPECT_THAT(error_of([] { parse_csv("a\nb\"c\"", "t.csv"); }),
              HasSubstr("t.csv:2: a quote inside a field"));
  EXPECT_THAT(error_of([] { parse_csv("\"b\"c", "t.csv"); }),
              HasSubstr("t.csv:1: text after a closing quote"));
}

TEST(Csv, RejectsMoreThanMemoryHolds) {
  // Empty lines are fields too, and the cheapest.
  EXPECT_THAT(parse_csv(std::string(10'000'000, '\n'), "t.csv"), IsEmpty());
  EXPECT_THAT(error_of([] { parse_csv(std::string(10'000'001, '\n'), "t.csv"); }),
              HasSubstr("t.csv:10000001: more than 10000000 fields; save so many numbers as .npy"));
}

}  // namespace
}  // namespace nngpcheck::files
