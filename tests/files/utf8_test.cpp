#include "nngpcheck/files/utf8.hpp"

#include <gtest/gtest.h>

namespace nngpcheck::files {
namespace {

TEST(Utf8, IsRecognised) {
  for (const std::string text : {"", "für", "€", "\U0001F98A"}) EXPECT_EQ(valid_utf8(text), text.size());
  for (const std::string text :
       {"f\xfcr", "\x80", "\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"})
    EXPECT_LT(valid_utf8(text), text.size());
  EXPECT_EQ(valid_utf8("ab\xff"), 2u);
}

TEST(Utf8, IsPrintableWithoutControlCharacters) {
  EXPECT_EQ(printable("für €"), "für €");
  EXPECT_EQ(printable("a\x1b[31m\n\x7f\xff\xc2\x9b"), "a\\x1b[31m\\x0a\\x7f\\xff\\xc2\\x9b");
  EXPECT_EQ(in_quotes("é"), "\"é\"");
  std::string long_one;
  for (int k = 0; k < 50; ++k) long_one += "é";
  EXPECT_EQ(in_quotes(long_one), "\"" + long_one.substr(0, 80) + "…\"");
}

}  // namespace
}  // namespace nngpcheck::files
