//! Where a bug can be planted: expressions that are worked out at run time, and what each could be instead.

use std::ops::Range;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{BinOp, Expr, ExprLit, GenericArgument, Lit, PathArguments, UnOp};

/// Functions and methods that are taken for each other.
const SWAPS: [(&str, &str); 22] = [
    ("add", "sub"),
    ("and", "or"),
    ("xor", "or"),
    ("madd_lo", "madd_hi"),
    ("shr", "shl"),
    ("unpack_lo", "unpack_hi"),
    ("wrapping_add", "wrapping_sub"),
    ("overflowing_add", "overflowing_sub"),
    ("carrying_add", "borrowing_sub"),
    ("rotate_left", "rotate_right"),
    ("leading_zeros", "trailing_zeros"),
    ("is_zero", "is_odd"),
    ("min", "max"),
    ("mul_add", "mul_sub"),
    ("twice_sub", "sub"),
    ("twice_neg_where", "neg_where"),
    ("from_be", "from_le"),
    ("_mm512_rol_epi64", "_mm512_ror_epi64"),
    ("_mm512_xor_si512", "_mm512_or_si512"),
    ("_mm256_xor_si256", "_mm256_or_si256"),
    ("_mm256_slli_epi64", "_mm256_srli_epi64"),
    ("_mm256_andnot_si256", "_mm256_and_si256"),
];
/// Methods without which a number is left as it was.
const DROPPED: [&str; 10] = [
    "canonical",
    "neg",
    "twice",
    "neg_where",
    "twice_neg_where",
    "select",
    "rev",
    "unsigned_abs",
    "wrapping_neg",
    "skip",
];
/// Functions in which nothing is planted: they check or print.
const SPARED: [&str; 4] = ["check", "fmt", "as_str", "opaque"];

/// One bug.
#[derive(Clone, Debug)]
pub struct Site {
    /// The bytes of the source that it replaces.
    pub range: Range<usize>,
    /// By what.
    pub text: String,
    /// Function that it stands in.
    pub function: String,
}

/// All sites of a file, in the order of their expressions.
pub fn sites(source: &str) -> Vec<Site> {
    let file = syn::parse_file(source).expect("the file compiles");
    let mut finder = Finder { source, function: String::new(), sites: Vec::new() };
    finder.visit_file(&file);
    finder.sites
}

struct Finder<'a> {
    source: &'a str,
    function: String,
    sites: Vec<Site>,
}

impl Finder<'_> {
    fn text(&self, node: &impl Spanned) -> &str {
        &self.source[node.span().byte_range()]
    }

    fn plant(&mut self, at: Range<usize>, text: String) {
        // On one line, so that the compiler's line numbers stay those of the file.
        let one_line = !text.contains("//") && !self.source[at.clone()].contains("//");
        if one_line && !self.function.is_empty() {
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            self.sites.push(Site { range: at, text, function: self.function.clone() });
        }
    }

    /// The expression with the bytes of one part of it replaced.
    fn plant_part(&mut self, whole: &impl Spanned, part: Range<usize>, by: &str) {
        let whole = whole.span().byte_range();
        let text = [&self.source[whole.start..part.start], by, &self.source[part.end..whole.end]].concat();
        self.plant(whole, text);
    }

    fn function(&mut self, name: &syn::Ident, attrs: &[syn::Attribute], is_const: bool, visit: impl FnOnce(&mut Self)) {
        if is_const || is_test(attrs) || SPARED.contains(&name.to_string().as_str()) {
            return;
        }
        let outer = std::mem::replace(&mut self.function, name.to_string());
        visit(self);
        self.function = outer;
    }

    fn binary(&mut self, e: &syn::ExprBinary) {
        let other = match e.op {
            BinOp::Add(_) => "-",
            BinOp::Sub(_) => "+",
            BinOp::Mul(_) => "+",
            BinOp::Div(_) | BinOp::Rem(_) => "*",
            BinOp::BitAnd(_) => "|",
            BinOp::BitOr(_) | BinOp::BitXor(_) => "&",
            BinOp::Shl(_) => ">>",
            BinOp::Shr(_) => "<<",
            BinOp::Lt(_) => "<=",
            BinOp::Le(_) => "<",
            BinOp::Gt(_) => ">=",
            BinOp::Ge(_) => ">",
            BinOp::Eq(_) => "!=",
            BinOp::Ne(_) => "==",
            BinOp::And(_) => "||",
            BinOp::Or(_) => "&&",
            BinOp::AddAssign(_) => "-=",
            BinOp::SubAssign(_) => "+=",
            BinOp::MulAssign(_) => "+=",
            BinOp::BitAndAssign(_) => "|=",
            BinOp::BitOrAssign(_) | BinOp::BitXorAssign(_) => "&=",
            BinOp::ShlAssign(_) => ">>=",
            BinOp::ShrAssign(_) => "<<=",
            _ => return,
        };
        self.plant_part(e, e.op.span().byte_range(), other);
        // The mask, or the addend of a carry, left out.
        if matches!(e.op, BinOp::BitAnd(_) | BinOp::BitXor(_) | BinOp::Add(_) | BinOp::Shr(_)) {
            self.plant(e.span().byte_range(), self.text(&e.left).to_owned());
        }
    }

    fn literal(&mut self, e: &ExprLit) {
        match &e.lit {
            Lit::Bool(b) => self.plant(e.span().byte_range(), (!b.value).to_string()),
            Lit::Int(n) => {
                let Ok(value) = n.base10_parse::<u64>() else { return };
                self.plant(e.span().byte_range(), format!("{}{}", value.wrapping_add(1), n.suffix()));
                if value > 0 {
                    self.plant(e.span().byte_range(), format!("{}{}", value - 1, n.suffix()));
                }
            }
            _ => {}
        }
    }

    /// Other names, and other numbers in `::<..>`.
    fn call(
        &mut self,
        whole: &impl Spanned,
        name: &syn::Ident,
        arguments: Option<&syn::AngleBracketedGenericArguments>,
    ) {
        for (one, other) in SWAPS {
            let by = if name == one {
                other
            } else if name == other {
                one
            } else {
                continue;
            };
            self.plant_part(whole, name.span().byte_range(), by);
        }
        for argument in arguments.into_iter().flat_map(|a| &a.args) {
            let GenericArgument::Const(Expr::Lit(ExprLit { lit: Lit::Int(n), .. })) = argument else { continue };
            let value = n.base10_parse::<u64>().expect("a number");
            self.plant_part(whole, n.span().byte_range(), &(value + 1).to_string());
        }
    }

    fn statement(&mut self, e: &Expr) {
        if matches!(e, Expr::Assign(_) | Expr::Call(_) | Expr::MethodCall(_)) || is_compound(e) {
            self.plant(e.span().byte_range(), "()".into());
        }
    }
}

fn is_compound(e: &Expr) -> bool {
    matches!(e, Expr::Binary(b) if b.op.span().source_text().is_some_and(|op| op.ends_with('=') && op != "=="))
}

fn is_test(attrs: &[syn::Attribute]) -> bool {
    attrs.iter().any(|a| {
        a.path().is_ident("test")
            || a.path().is_ident("cfg") && a.span().source_text().is_some_and(|t| t.contains("test"))
    })
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        let is_const = item.sig.constness.is_some();
        self.function(&item.sig.ident, &item.attrs, is_const, |this| this.visit_block(&item.block));
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        let is_const = item.sig.constness.is_some();
        self.function(&item.sig.ident, &item.attrs, is_const, |this| this.visit_block(&item.block));
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        let Some(block) = &item.default else { return };
        self.function(&item.sig.ident, &item.attrs, item.sig.constness.is_some(), |this| this.visit_block(block));
    }

    // Worked out by the compiler: left alone.
    fn visit_item_const(&mut self, _: &'ast syn::ItemConst) {}
    fn visit_item_static(&mut self, _: &'ast syn::ItemStatic) {}
    fn visit_impl_item_const(&mut self, _: &'ast syn::ImplItemConst) {}
    fn visit_expr_const(&mut self, _: &'ast syn::ExprConst) {}
    fn visit_type(&mut self, _: &'ast syn::Type) {}
    fn visit_pat(&mut self, _: &'ast syn::Pat) {}
    fn visit_generic_argument(&mut self, _: &'ast GenericArgument) {}
    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}

    fn visit_expr_repeat(&mut self, e: &'ast syn::ExprRepeat) {
        self.visit_expr(&e.expr);
    }

    fn visit_stmt(&mut self, stmt: &'ast syn::Stmt) {
        if let syn::Stmt::Expr(e, Some(_)) = stmt {
            self.statement(e);
        }
        visit::visit_stmt(self, stmt);
    }

    fn visit_expr(&mut self, e: &'ast Expr) {
        match e {
            Expr::Call(call) if matches!(&*call.func, Expr::Path(p) if p.path.is_ident("check")) => return,
            Expr::Binary(b) => self.binary(b),
            Expr::Lit(lit) => self.literal(lit),
            Expr::Unary(u) if matches!(u.op, UnOp::Not(_) | UnOp::Neg(_)) => {
                self.plant(e.span().byte_range(), self.text(&u.expr).to_owned());
            }
            Expr::Path(p) => {
                let name = p.path.segments.last().map(|s| s.ident.to_string()).unwrap_or_default();
                if name.len() > 1 && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_') {
                    self.plant(e.span().byte_range(), format!("crate::mutant::Bump::bump({})", self.text(p)));
                }
            }
            Expr::Call(call) => {
                if let Expr::Path(p) = &*call.func
                    && let Some(last) = p.path.segments.last()
                {
                    let arguments = if let PathArguments::AngleBracketed(a) = &last.arguments { Some(a) } else { None };
                    self.call(call, &last.ident, arguments);
                }
            }
            Expr::MethodCall(call) => {
                self.call(call, &call.method, call.turbofish.as_ref());
                if DROPPED.iter().any(|name| call.method == name) {
                    self.plant(e.span().byte_range(), self.text(&call.receiver).to_owned());
                }
            }
            Expr::If(e) if !matches!(&*e.cond, Expr::Let(_) | Expr::Binary(_) | Expr::Macro(_)) => {
                let cond = e.cond.span().byte_range();
                self.plant(cond.clone(), format!("!({})", &self.source[cond]));
            }
            _ => {}
        }
        visit::visit_expr(self, e);
    }
}
