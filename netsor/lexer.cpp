#include "nngpcheck/netsor/lexer.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <utility>

#include "nngpcheck/support/error.hpp"

namespace nngpcheck::netsor {

namespace {

/// What is written for what; longer ones first.
constexpr std::array<std::pair<std::string_view, std::string_view>, 23> symbols = {{
    {":=", ":="}, {"×", "×"}, {"ᵀ", "ᵀ"}, {"⊙", "⊙"}, {"√", "√"}, {"−", "-"}, {"'", "ᵀ"}, {"*", "⊙"},
    {"+", "+"},   {"-", "-"}, {"/", "/"}, {"(", "("}, {")", ")"}, {"[", "["}, {"]", "]"}, {",", ","},
    {";", ";"},   {":", ":"}, {"^", "^"}, {"~", "~"}, {"=", "="}, {"{", "{"}, {"}", "}"},
}};

bool is_letter(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return std::isalpha(byte) != 0 || c == '_' || byte >= 0x80;
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Whether a text begins with one of ᵀ ⊙ √ − ×, which are no letters.
bool at_wide_symbol(std::string_view text) {
  if (static_cast<unsigned char>(text[0]) < 0x80) return false;
  return std::any_of(symbols.begin(), symbols.end(),
                     [&](const auto& row) { return text.starts_with(row.first); });
}

/// The length of the name that a text begins with.
std::size_t name_length(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() &&
         (is_letter(text[length]) || (length > 0 && (is_digit(text[length]) || text[length] == '.'))) &&
         !at_wide_symbol(text.substr(length)))
    ++length;
  return length;
}

int hexadecimal(char c) {
  if (is_digit(c)) return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

}  // namespace

bool is_plain_name(std::string_view name) { return !name.empty() && name_length(name) == name.size(); }

std::string in_quotes(std::string_view name) {
  std::string result = "\"";
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += {'\\', c};
    } else if (byte < 0x20 || byte == 0x7f) {
      constexpr std::string_view digits = "0123456789abcdef";
      result += {'\\', 'x', digits[byte / 16], digits[byte % 16]};
    } else {
      result += c;
    }
  }
  return result + "\"";
}

const Token& Lexer::peek() {
  if (!ready_) scan();
  ready_ = true;
  return token_;
}

Token Lexer::next() {
  peek();
  ready_ = false;
  return std::move(token_);
}

bool Lexer::at_comment() const {
  return position_ < text_.size() && (text_[position_] == '#' || text_.substr(position_).starts_with("//"));
}

void Lexer::skip() {
  while (position_ < text_.size()) {
    const char c = text_[position_];
    if (at_comment()) {
      position_ = std::min(text_.find('\n', position_), text_.size());
    } else if (c == ' ' || c == '\t' || c == '\r' || (c == '\n' && depth_ > 0)) {
      ++position_;
    } else {
      return;
    }
  }
}

void Lexer::scan() {
  skip();
  token_ = {Token::Kind::end, "", 0, position_};
  if (position_ == text_.size()) return;
  const char c = text_[position_];
  if (c == '\n') {
    token_.kind = Token::Kind::line_end;
    ++position_;
  } else if (c == '"') {
    quoted();
  } else if (is_digit(c) || (c == '.' && position_ + 1 < text_.size() && is_digit(text_[position_ + 1]))) {
    number();
  } else if (const std::size_t length = name_length(text_.substr(position_)); length > 0) {
    token_.text = text_.substr(position_, length);
    token_.kind = Token::Kind::name;
    position_ += length;
    if (token_.text == "sqrt") token_ = {Token::Kind::symbol, "√", 0, token_.offset};
  } else if (!symbol()) {
    fail(position_, "a character that is no part of the language; names with such go into quotes");
  }
}

bool Lexer::symbol() {
  const auto found = std::find_if(symbols.begin(), symbols.end(), [&](const auto& row) {
    return text_.substr(position_).starts_with(row.first);
  });
  if (found == symbols.end()) return false;
  token_.kind = Token::Kind::symbol;
  token_.text = found->second;
  position_ += found->first.size();
  if (token_.text == "[") ++depth_;
  if (token_.text == "]" && depth_ > 0) --depth_;
  return true;
}

void Lexer::number() {
  const char* first = text_.data() + position_;
  const auto [end, error] = std::from_chars(first, text_.data() + text_.size(), token_.value);
  if (error != std::errc() || !std::isfinite(token_.value))
    fail(position_, "the number is out of range; give one that a double can hold");
  token_.kind = Token::Kind::number;
  token_.text.assign(first, end);
  position_ += static_cast<std::size_t>(end - first);
}

void Lexer::quoted() {
  token_.kind = Token::Kind::quoted;
  for (++position_;; ++position_) {
    if (position_ == text_.size() || text_[position_] == '\n')
      fail(token_.offset, "the quotes are never closed; end the text with \"");
    char c = text_[position_];
    if (c == '"') break;
    if (c == '\\') {
      c = position_ + 1 < text_.size() ? text_[++position_] : '\n';
      if (c == 'x' && position_ + 2 < text_.size()) {
        const int high = hexadecimal(text_[position_ + 1]), low = hexadecimal(text_[position_ + 2]);
        if (high < 0 || low < 0) fail(position_ - 1, "\\x needs two digits of 0123456789abcdef");
        c = static_cast<char>(16 * high + low);
        position_ += 2;
      } else if (c != '"' && c != '\\') {
        fail(position_ - 1, "in quotes, \\ stands before \", \\ or x and two digits");
      }
    }
    token_.text += c;
  }
  ++position_;
}

std::string_view Lexer::rest_of_line() {
  if (ready_) position_ = token_.offset;
  ready_ = false;
  const std::size_t start = position_;
  while (position_ < text_.size() && text_[position_] != '\n' && !at_comment()) ++position_;
  return text_.substr(start, position_ - start);
}

void Lexer::fail(std::size_t offset, const std::string& message) const {
  const std::string_view before = text_.substr(0, offset);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t start = before.rfind('\n') + 1;  // npos + 1 is 0
  const auto column = 1 + std::count_if(before.begin() + static_cast<std::ptrdiff_t>(start), before.end(),
                                        [](char c) { return (c & 0xC0) != 0x80; });
  throw InputError(source_ + ":" + std::to_string(line) + ":" + std::to_string(column) + ": " + message);
}

}  // namespace nngpcheck::netsor
