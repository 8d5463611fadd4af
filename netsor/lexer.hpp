// Private to netsor/: the words of the text language.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace nngpcheck::netsor {

/// A word of a program's text. Operators have one spelling here: ᵀ or ' is "ᵀ", ⊙ or * is "⊙", √ or sqrt is
/// "√", − is "-".
struct Token {
  enum class Kind { name, quoted, number, symbol, line_end, end };
  Kind kind = Kind::end;
  std::string text;        // of a quoted text what it stands for
  double value = 0;        // of a number
  std::size_t offset = 0;  // in the text

  bool is(std::string_view symbol) const { return kind == Kind::symbol && text == symbol; }
  bool is_name(std::string_view name) const { return kind == Kind::name && text == name; }
};

/// Cuts a program's text into words. A line ends outside of [] only; // and # begin a comment.
class Lexer {
 public:
  /// `source` is what messages call the text: a file's name.
  Lexer(std::string_view text, std::string source) : text_(text), source_(std::move(source)) {}

  /// The next word, which is read again until `next`.
  const Token& peek();
  Token next();

  /// All up to the end of the line or a comment, without what is looked at already.
  std::string_view rest_of_line();

  /// Throws InputError: "net.netsor:3:14: " and the message.
  [[noreturn]] void fail(std::size_t offset, const std::string& message) const;

 private:
  void scan();
  void skip();
  bool at_comment() const;
  void quoted();
  void number();
  bool symbol();

  std::string_view text_;
  std::string source_;
  std::size_t position_ = 0;
  int depth_ = 0;  // of []
  bool ready_ = false;
  Token token_;
};

/// Whether a name can be written without quotes.
bool is_plain_name(std::string_view name);

/// "name" in quotes, as the lexer reads it.
std::string in_quotes(std::string_view name);

}  // namespace nngpcheck::netsor
