#include "nngpcheck/netsor/text_scope.hpp"

#include <cctype>
#include <charconv>
#include <vector>

#include "nngpcheck/netsor/error.hpp"
#include "nngpcheck/support/spelling.hpp"

namespace nngpcheck::netsor {

// ---- Words ----

bool TextScope::take(std::string_view symbol) {
  if (!lexer_.peek().is(symbol)) return false;
  lexer_.next();
  return true;
}

bool TextScope::take_name(std::string_view name) {
  if (!lexer_.peek().is_name(name)) return false;
  lexer_.next();
  return true;
}

void TextScope::expect(std::string_view symbol, const std::string& example) {
  if (!take(symbol)) fail_here("\"" + std::string(symbol) + "\" is missing before this; write " + example);
}

bool TextScope::at_word() {
  return lexer_.peek().kind == Token::Kind::name || lexer_.peek().kind == Token::Kind::quoted;
}

Token TextScope::word(const std::string& what) {
  if (!at_word()) fail_here(what + " is missing here");
  return lexer_.next();
}

Token TextScope::plain_name(const std::string& what) {
  Token name = word(what);
  if (name.kind != Token::Kind::name) lexer_.fail(name.offset, what + " has no quotes");
  return name;
}

double TextScope::number() {
  const Token token = lexer_.next();
  if (token.kind != Token::Kind::number) lexer_.fail(token.offset, "a number is missing here");
  return token.value;
}

double TextScope::signed_number() { return take("-") ? -number() : number(); }

Width TextScope::width() {
  const bool multiple = lexer_.peek().kind == Token::Kind::number;
  const std::int64_t numerator = multiple ? read_index(lexer_) : 1;
  if (!take_name("n")) fail_here("a width is missing here; write n, 4n or n/2");
  return Width(numerator, take("/") ? read_index(lexer_) : 1);
}

Width TextScope::divisor() {
  if (!take("(")) {
    if (take_name("n")) return {};
    fail_here("a width is missing here; write n or (4n)");
  }
  const Width result = width();
  expect(")", "(4n)");
  return result;
}

// ---- Names ----

namespace {

std::string key(const Token& name) { return (name.kind == Token::Kind::quoted ? "\"" : "") + name.text; }

}  // namespace

void TextScope::declare(const Token& name, const Meaning& meaning) {
  if (!words_.emplace(key(name), meaning).second)
    lexer_.fail(name.offset, "the name " + name.text + " is taken; choose another");
  if (const auto* bundle = std::get_if<BundleId>(&meaning)) names_[bundle->index()] = name.text;
  if (const auto* table = std::get_if<TableId>(&meaning)) names_[table->index()] = name.text;
}

void TextScope::declare_object(const Token& name, const Meaning& meaning) {
  declare(name, meaning);
  if (name.kind == Token::Kind::name) words_.emplace("\"" + name.text, meaning);
}

const Meaning& TextScope::meaning(const Token& name) const {
  const auto found = words_.find(key(name));
  if (found != words_.end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [other, meant] : words_)
    if (!other.starts_with('"')) known.push_back(other);
  const std::string close = support::close_spelling(name.text, known);
  lexer_.fail(name.offset, "there is no " + name.text + " before this line" +
                               (close.empty() ? "; declare it first" : "; did you mean " + close + "?"));
}

bool TextScope::is_bundle(const Token& name) const {
  const Meaning& meant = meaning(name);
  return std::holds_alternative<BundleId>(meant) || std::holds_alternative<BiasId>(meant);
}

BundleId TextScope::bundle(const Token& name) {
  const Meaning& meant = meaning(name);
  if (const auto* id = std::get_if<BundleId>(&meant)) return *id;
  if (const auto* bias = std::get_if<BiasId>(&meant)) return builder_.column(*bias);
  lexer_.fail(name.offset, name.text + " is no vector of width n; give one, such as W x or tanh(g)");
}

TableId TextScope::table(const Token& name) const {
  if (const auto* id = std::get_if<TableId>(&meaning(name))) return *id;
  lexer_.fail(name.offset, name.text + " is no table; give one, such as xᵀ y / n");
}

const Eigen::MatrixXd& TextScope::dense(const Token& name) const {
  const auto* constant = std::get_if<std::shared_ptr<const TextMatrix>>(&meaning(name));
  const auto* matrix = constant ? std::get_if<Eigen::MatrixXd>(constant->get()) : nullptr;
  if (!matrix) lexer_.fail(name.offset, name.text + " is no full matrix; give one: Matrix: D := [1 0; 0 1]");
  return *matrix;
}

// ---- Functions ----

void TextScope::declare_function(const Token& name, const Activation& function) {
  if (functions_.contains(name.text) || !activations_.try_emplace(name.text, function).second)
    lexer_.fail(name.offset, "the function " + name.text + " is there already; choose another name");
}

void TextScope::declare_function(const Token& name, const Function& function) {
  if (activations_.contains(name.text) || !functions_.try_emplace(name.text, function).second)
    lexer_.fail(name.offset, "the function " + name.text + " is there already; choose another name");
}

const Activation& TextScope::activation(const Token& name) {
  const auto found = activations_.find(name.text);
  if (found != activations_.end()) return found->second;
  const auto keep = [&](Activation made) -> const Activation& {
    return activations_.emplace(name.text, std::move(made)).first->second;
  };
  if (functions_.contains(name.text))
    lexer_.fail(name.offset, name.text + " is a function of several arguments; give them all");
  try {
    return keep(Activation::named(name.text));
  } catch (const ProgramError& error) {
    if (name.kind == Token::Kind::name) lexer_.fail(name.offset, error.what());
  }
  try {
    return keep(Activation::from_expression(name.text));
  } catch (const ProgramError& error) {
    lexer_.fail(name.offset, error.what());
  }
}

const Function* TextScope::function(const Token& name) const {
  const auto found = functions_.find(name.text);
  return found == functions_.end() ? nullptr : &found->second;
}

void TextScope::charge(const Token& at, Index numbers) {
  charged_ += numbers;
  if (charged_ > most_numbers)
    lexer_.fail(at.offset, "the constants of all instructions so far have more than " +
                               std::to_string(most_numbers) + " numbers; take fewer or smaller ones");
}

// ---- Messages ----

std::string TextScope::in_these_names(const std::string& message) const {
  const auto in_word = [&](std::size_t k) {
    return k < message.size() && (std::isalnum(static_cast<unsigned char>(message[k])) || message[k] == '_');
  };
  std::string result;
  for (std::size_t k = 0, end = 0; k < message.size(); k = end) {
    for (end = k; in_word(end);) ++end;
    if (end == k) ++end;
    const std::string one = message.substr(k, end - k);
    std::uint32_t number = 0;
    const char* last = one.data() + one.size();
    const bool numbered = one.size() > 1 && std::string_view("gxt").find(one[0]) != std::string_view::npos &&
                          std::from_chars(one.data() + 1, last, number).ptr == last;
    const auto found = numbered ? names_.find(number - 1) : names_.end();
    result += found == names_.end() ? one : found->second;
  }
  return result;
}

}  // namespace nngpcheck::netsor
