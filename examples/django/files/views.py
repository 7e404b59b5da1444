from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import UserCreationForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse_lazy
from django.views.generic import CreateView

from .models import File


class SignUp(CreateView):
    form_class = UserCreationForm
    template_name = "registration/sign_up.html"
    success_url = reverse_lazy("login")


@login_required
def list_files(request: HttpRequest) -> HttpResponse:
    return render(request, "files/list.html", {"files": File.objects.filter(owner=request.user)})
